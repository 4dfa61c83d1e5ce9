import type { Catalog } from "@tgo/catalog";
import { linkFindingText, misfitText, type LinkReport, type Misfit, type Verification } from "@tgo/image";
import { machineProofs, type MachineProof, type VariantProof } from "@tgo/proof";
import {
  defined,
  type LinkSummary,
  type MachineReport,
  type RegistryReport,
  type SmokeReport,
  type VariantReport,
} from "@tgo/report";
import type { TargetContext } from "../targets/publish-context.js";
import { referenceOf, type Target } from "../targets/target.js";

/** A verification as the registry rows of a report. */
export function rowsOfVerification(
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
  /** Who signed it, where it is not of this engine. */
  readonly signer?: string;
}

function linkSummary({ roots, libraries, failures, notes }: LinkReport): LinkSummary {
  return { roots, libraries, missing: failures.map(linkFindingText), notes: notes.map(linkFindingText) };
}

/** The files of a variant that a check found nothing against. */
export function checkedFiles({ files, elf, links }: VariantProof): NonNullable<VariantReport["elf"]> {
  return { files, elf, foreign: [], ...(links === undefined ? {} : { links: { ...links, missing: [] } }) };
}

/**
 * The variant rows of a verified image: sizes from the registry, the rest from proofs.
 * @param context with a catalog, machines are named for an image without a proof, too
 */
export function variantRows(
  context: Pick<TargetContext, "platforms"> & { readonly catalog?: Pick<Catalog, "machines"> },
  verification: Verification,
  proofOf: (variant: { readonly platform: string; readonly digest: string }) => KnownProof | undefined,
): VariantReport[] {
  return context.platforms.map((platform) => {
    const variant = verification.variants.find((candidate) => candidate.platform === platform);
    const known = variant && proofOf(variant);
    const proof = known?.proof;
    const elf = variant?.elf;
    const checked =
      elf !== undefined
        ? {
            files: elf.files,
            elf: elf.elf,
            foreign: elf.foreign.map(({ path }) => path),
            links: linkSummary(elf.links),
          }
        : proof && checkedFiles(proof);
    return defined({
      platform,
      digest: variant?.digest,
      size: variant?.size,
      elf: checked,
      smoke: known && smokeRow(known),
      machines: machineRows(
        proof?.machines ??
          (elf && context.catalog && machineProofs(platform, context.catalog.machines[platform], undefined)),
        elf?.misfits,
      ),
    });
  });
}

/** The smoke test of a variant, as a proof tells it. */
export function smokeRow({ proof: { smoke }, recorded, signer }: KnownProof): SmokeReport | undefined {
  return smoke && { ok: true, ...smoke, recorded, ...(signer === undefined ? {} : { signer }) };
}

/**
 * The promised machines, by what a proof knows, and by the files of the image that was verified.
 * @param misfits files that machines cannot load
 */
function machineRows(
  known: readonly MachineProof[] | undefined,
  misfits: readonly Misfit[] = [],
): readonly MachineReport[] | undefined {
  return known?.map((machine) => {
    const misfit = misfits.find(({ loaded, machines }) => loaded && machines.includes(machine.name));
    return misfit === undefined ? machine : { name: machine.name, state: "failed", told: misfitText(misfit) };
  });
}
