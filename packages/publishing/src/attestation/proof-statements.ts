import {
  PROOF_PREDICATE,
  readAttestations,
  verifyBundle,
  type Attestation,
  type Trust,
} from "@tgo/attestation";
import { isTgoError } from "@tgo/errors";
import type { VariantProof } from "@tgo/proof";
import * as v from "@tgo/schemas";
import { repositoryOf } from "../targets/target.js";
import type { Attestor, ImageProofs, ImageSubjects } from "./attestor.js";

/** Only what this code reads; a trusted signer wrote it. */
const Proof = v.looseObject({
  platform: v.string(),
  files: v.number(),
  elf: v.number(),
  smoke: v.object({ machine: v.string(), lines: v.array(v.string()) }),
});
const Predicate = v.object({ tests: v.string(), proof: Proof });

/** The proof that a statement of a trusted signer is; undefined for other statements. */
export function provenIn({
  predicateType,
  predicate,
}: {
  readonly predicateType: string;
  readonly predicate: unknown;
}): { readonly tests: string; readonly proof: VariantProof } | undefined {
  const found = predicateType === PROOF_PREDICATE ? v.outputOf(Predicate, predicate) : undefined;
  return found && { tests: found.tests, proof: found.proof as unknown as VariantProof };
}

/** One statement for each variant that was checked and run. */
export function proofStatements(
  { platforms }: ImageSubjects,
  proofs: ImageProofs | undefined,
): Attestation[] {
  if (proofs === undefined) return [];
  const { tests, variants } = proofs;
  return platforms.flatMap(({ platform, descriptor }) => {
    const proof = variants.get(platform);
    if (proof?.smoke === undefined) return [];
    return {
      subject: descriptor,
      predicateType: PROOF_PREDICATE,
      predicate: { tests, proof },
      // Other tests need a proof of their own.
      isSame: (predicate) => v.outputOf(Predicate, predicate)?.tests === tests,
    };
  });
}

/** See {@link Attestor.proofs}. */
export async function readProofs(
  trust: Trust,
  { target, service, tests }: Parameters<Attestor["proofs"]>[0],
  variants: Parameters<Attestor["proofs"]>[1],
): Promise<ReadonlyMap<string, VariantProof>> {
  const source = { registry: target.client, repository: repositoryOf(target, service) };
  const read = variants.map(async ({ digest, platform }): Promise<(readonly [string, VariantProof])[]> => {
    for (const { bytes } of await readAttestations(source, digest, { predicateTypes: [PROOF_PREDICATE] })) {
      const verdict = verifyBundle(bytes, trust);
      if (!verdict.trusted) continue;
      const { statement } = verdict;
      const found = statement.subjects.join() === digest ? provenIn(statement) : undefined;
      if (found?.tests === tests && found.proof.platform === platform) return [[digest, found.proof]];
    }
    return [];
  });
  try {
    return new Map((await Promise.all(read)).flat());
  } catch (error) {
    if (!isTgoError(error) || error.code === "INTERRUPTED") throw error;
    return new Map();
  }
}
