import { verifyAttestations, type Trust } from "@tgo/attestation";
import { commandLine } from "@tgo/errors";
import { repositoryOf } from "@tgo/publishing";
import { kindOfTag } from "@tgo/release-rules";
import type { CheckReport, RegistryReport } from "@tgo/report";
import type { Context } from "./context.js";

/** An image that was verified, as far as its signatures need it. */
export interface SignedImage {
  readonly service: string;
  /** As which it was found. */
  readonly tag: string;
  readonly digest: string | undefined;
  readonly variants: readonly { readonly platform: string; readonly digest: string }[];
  readonly revision: string | undefined;
}

/** What verification says of an image's signatures, SBOMs and provenance. */
export interface SignatureChecks {
  readonly check: CheckReport;
  /** The registries' rows with the problems that were found. */
  readonly registries: readonly RegistryReport[];
}

/** Verifies them in every registry that takes artifacts, as a stranger where it is public. */
export async function checkSignatures(
  { targets, catalog }: Context,
  trust: Trust,
  { service, tag, digest, variants, revision }: SignedImage,
  registries: readonly RegistryReport[],
): Promise<SignatureChecks> {
  const taking = targets.filter(({ registry }) => registry.referrers !== false);
  const skipped = targets.filter((target) => !taking.includes(target));
  const skippedLines = skipped.map(
    ({ name }) => `${name} takes none: "referrers" is false in its catalog entry`,
  );
  if (digest === undefined)
    return { check: { name: "signatures", state: "skipped", evidence: ["no image was found"] }, registries };
  const kind = kindOfTag(tag, service);
  const { problems, evidence, notes } = await verifyAttestations({
    places: taking.map((target) => ({
      name: target.name,
      registry: target.anonymous ?? target.client,
      repository: repositoryOf(target, service),
    })),
    subjects: [
      { name: "index", digest },
      ...variants.map((variant) => ({ name: variant.platform, digest: variant.digest })),
    ],
    trust,
    required: catalog.signatures?.required ?? false,
    ...(revision === undefined ? {} : { revision }),
    ...(kind.kind === "version"
      ? {
          restore: `This copies it from there:\n${commandLine("promote", { service: [service], version: kind.version.text })}`,
        }
      : {}),
  });
  const found = [...problems].flatMap(([name, list]) => list.map(({ what }) => `${name}: ${what}`));
  const check: CheckReport =
    found.length > 0
      ? { name: "signatures", state: "failed", evidence: found }
      : {
          name: "signatures",
          state: notes.length > 0 ? "note" : "ok",
          evidence: [...evidence, ...notes, ...skippedLines],
        };
  return {
    check,
    registries: registries.map((row) => {
      const own = problems.get(row.registry) ?? [];
      return own.length === 0
        ? row
        : { ...row, state: "failed" as const, problems: [...row.problems, ...own] };
    }),
  };
}
