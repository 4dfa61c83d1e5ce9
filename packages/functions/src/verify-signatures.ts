import { verifyAttestations, type AttestedPlace, type Trust } from "@tgo/attestation";
import { provenIn, type KnownProof } from "@tgo/publishing";
import type { CheckReport, RegistryReport } from "@tgo/report";

/** An image that was verified, as far as its signatures need it. */
export interface SignedImage {
  /** Registries that have it and take attestations. */
  readonly places: readonly AttestedPlace[];
  /** Registries that take none. */
  readonly skipped: readonly string[];
  /** Of the index, or of an image without one. */
  readonly digest: string | undefined;
  readonly variants: readonly { readonly platform: string; readonly digest: string }[];
  readonly revision: string | undefined;
  /** What needs a signature: nothing, the index as a whole, or every platform's image too. */
  readonly signed: "any" | "index" | "all";
  readonly remedies: { readonly restore: string; readonly other: string };
}

/** What verification says of an image's signatures, SBOMs and provenance. */
export interface SignatureChecks {
  readonly check: CheckReport;
  /** The registries' rows with the problems that were found. */
  readonly registries: readonly RegistryReport[];
  /** What trusted signers say was tested, by the digest of the variant's manifest; of whatever tests. */
  readonly proofs: ReadonlyMap<string, readonly SignedProof[]>;
}

export interface SignedProof extends KnownProof {
  /** Hash of the tests. */
  readonly tests: string;
}

/** Verifies them in every registry that takes artifacts, as a stranger where it is public. */
export async function checkSignatures(
  trust: Trust,
  { places, skipped, digest, variants, revision, signed, remedies }: SignedImage,
  registries: readonly RegistryReport[],
): Promise<SignatureChecks> {
  if (digest === undefined) {
    const check = { name: "signatures", state: "skipped", evidence: ["no image was found"] } as const;
    return { check, registries, proofs: new Map() };
  }
  const isSingle = variants.length === 1 && variants[0]?.digest === digest;
  const { problems, evidence, notes, statements } = await verifyAttestations({
    places,
    subjects: [
      ...(isSingle ? [] : [{ name: "index", digest, mustBeSigned: signed !== "any" }]),
      ...variants.map((variant) => ({
        name: variant.platform,
        digest: variant.digest,
        mustBeSigned: signed === "all" || (isSingle && signed === "index"),
      })),
    ],
    trust,
    remedies,
    ...(revision === undefined ? {} : { revision }),
  });
  const found = [...problems].flatMap(([name, list]) => list.map(({ what }) => `${name}: ${what}`));
  const skippedLines = skipped.map((name) => `${name} takes none: "referrers" is false in its catalog entry`);
  const check: CheckReport =
    found.length > 0
      ? { name: "signatures", state: "failed", evidence: found }
      : {
          name: "signatures",
          state: notes.length > 0 ? "note" : "ok",
          evidence: [...evidence, ...notes, ...skippedLines],
        };
  const proofs = new Map<string, SignedProof[]>();
  for (const { subject, signer, ...statement } of statements) {
    const proven = provenIn(statement);
    if (proven === undefined) continue;
    proofs.set(subject, [...(proofs.get(subject) ?? []), { ...proven, recorded: true, signer }]);
  }
  return {
    check,
    proofs,
    registries: registries.map((row) => {
      const own = problems.get(row.registry) ?? [];
      return own.length === 0
        ? row
        : { ...row, state: "failed" as const, problems: [...row.problems, ...own] };
    }),
  };
}
