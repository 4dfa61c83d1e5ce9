import { verifyImage, type Verification } from "@tgo/image";
import { defined, type RegistryReport, type VariantReport } from "@tgo/report";
import type { VariantProof } from "@tgo/proof";
import { referenceOf, repositoryOf, type Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";

export interface VerifyOptions {
  /** Digest that every registry must have under the tag; when absent, any digest they agree on. */
  readonly digest?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Also read every layer, and check every ELF file in it. */
  readonly elf: boolean;
  readonly allowForeign?: readonly string[];
  /** Report no step of its own. */
  readonly quiet?: boolean;
}

/** Verifies one tag of a service in the given registries, against the plan and against each other. */
export function verifyTag(
  context: TargetContext,
  service: string,
  targets: readonly Target[],
  tag: string,
  options: VerifyOptions,
): Promise<Verification> {
  const verify = (): Promise<Verification> =>
    verifyImage({
      targets: targets.map((target) => ({
        name: target.name,
        registry: target.client,
        repository: repositoryOf(target, service),
        reference: tag,
        ...(target.anonymous === undefined ? {} : { anonymous: target.anonymous }),
      })),
      platforms: [...context.platforms],
      expect: {
        ...(options.digest === undefined ? {} : { digest: options.digest }),
        ...(options.annotations === undefined ? {} : { annotations: { ...options.annotations } }),
      },
      elf: options.elf,
      allowForeign: [...(options.allowForeign ?? [])],
    });
  if (options.quiet === true) return verify();
  return context.progress.step({ step: "verify", service }, verify, ({ ok, targets: found }) => ({
    state: ok ? "done" : "failed",
    detail: `${found.filter(({ state }) => state === "verified").length} of ${found.length} registries`,
  }));
}

/** A verification as the registry rows of a report. */
export function registryRows(
  targets: readonly Target[],
  service: string,
  tag: string,
  verification: Verification,
): RegistryReport[] {
  return targets.map((target) => {
    const found = verification.targets.find(({ name }) => name === target.name);
    return defined({
      registry: target.name,
      reference: referenceOf(target, service, tag),
      state: found?.state ?? ("failed" as const),
      digest: found?.digest,
      problems: found?.problems ?? [],
      durationMs: found?.durationMs ?? 0,
    });
  });
}

/** The proof of a variant. */
export interface KnownProof {
  readonly proof: VariantProof;
  /** Whether an earlier run tested it. */
  readonly recorded: boolean;
}

/** The variant rows of a verified image: sizes from the registry, the rest from proofs. */
export function variantRows(
  context: Pick<TargetContext, "platforms">,
  verification: Verification,
  proofOf: (variant: { readonly platform: string; readonly digest: string }) => KnownProof | undefined,
): VariantReport[] {
  return context.platforms.map((platform) => {
    const variant = verification.variants.find((candidate) => candidate.platform === platform);
    const { proof, recorded = false } = (variant && proofOf(variant)) ?? {};
    const elf = variant?.elf;
    const checked =
      elf !== undefined
        ? { files: elf.files, elf: elf.elf, foreign: elf.foreign.map(({ path }) => path) }
        : proof && { files: proof.files, elf: proof.elf, foreign: [] };
    return defined({
      platform,
      digest: variant?.digest,
      size: variant?.size,
      elf: checked,
      smoke: proof?.smoke && { ok: true, ...proof.smoke, recorded },
    });
  });
}
