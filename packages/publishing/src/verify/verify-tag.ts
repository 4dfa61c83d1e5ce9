import type { Catalog, Platform } from "@tgo/catalog";
import { type PromisedMachine, verifyImage, type RemedyFor, type Verification } from "@tgo/image";
import type { Amount } from "@tgo/progress";
import { promisedMachines } from "@tgo/proof";
import { defined } from "@tgo/report";
import { repositoryOf, type Target } from "../targets/target.js";
import type { TargetContext } from "../targets/publish-context.js";

export interface VerifyOptions {
  /** Digest that every registry must have under the tag; when absent, any digest they agree on. */
  readonly digest?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of every variant. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Also read every layer, and check every ELF file in it. */
  readonly elf: boolean;
  /** False: whether registries have the layers is not asked. */
  readonly presence?: boolean;
  readonly allowForeign?: readonly string[];
  /** Digests that base images are locked to. */
  readonly bases?: Readonly<Record<string, string>>;
  /** Packages and path patterns that only some platforms have, by intention. */
  readonly allowDifferences?: readonly string[];
  /** Promised machines, whose loaders must take every ELF file. */
  readonly machines?: Catalog["machines"];
  readonly remedyFor?: RemedyFor;
  /** Report no step of its own. */
  readonly quiet?: boolean;
}

/**
 * Verifies one tag of a service in the given registries, against the plan and against each other.
 * @param tag or the digest
 */
export function verifyTag(
  context: TargetContext,
  service: string,
  targets: readonly Target[],
  tag: string,
  options: VerifyOptions,
): Promise<Verification> {
  const verify = (update?: (amount: Amount) => void): Promise<Verification> =>
    verifyImage({
      ...(update === undefined
        ? {}
        : {
            onBytes: (done: number, total: number) => {
              update({ what: "layers", done, total, unit: "bytes" });
            },
          }),
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
        annotations: options.annotations ?? {},
        labels: options.labels ?? {},
      },
      elf: options.elf,
      allowForeign: options.allowForeign ?? [],
      allowDifferences: options.allowDifferences ?? [],
      machines: promisedByPlatform(context.platforms, options.machines),
      ...defined({ remedyFor: options.remedyFor, presence: options.presence, bases: options.bases }),
    });
  if (options.quiet === true) return verify();
  return context.progress.step({ step: "verify", service }, verify, ({ ok, targets: found }) => ({
    state: ok ? "done" : "failed",
    detail: `${found.filter(({ state }) => state === "verified").length} of ${found.length} registries`,
  }));
}

function promisedByPlatform(
  platforms: readonly Platform[],
  machines: Catalog["machines"] | undefined,
): Readonly<Record<string, readonly PromisedMachine[]>> {
  if (machines === undefined) return {};
  return Object.fromEntries(
    platforms.map((platform) => [platform, promisedMachines(platform, machines[platform])]),
  );
}
