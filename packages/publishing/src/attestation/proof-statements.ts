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
import type { Attestor, ImageProofs, ImageSubjects, ProofClaim, ProofOrigin } from "./attestor.js";

/** Only what this code reads; a trusted signer wrote it. */
const Proof = v.looseObject({
  platform: v.string(),
  files: v.number(),
  elf: v.number(),
  smoke: v.looseObject({ machine: v.string(), lines: v.array(v.string()), native: v.optional(v.boolean()) }),
});
const Origin = v.object({ key: v.string(), pipelines: v.string() });
const Predicate = v.object({ tests: v.string(), proof: Proof, origin: v.optional(Origin) });

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
  const { tests, variants, origin } = proofs;
  return platforms.flatMap(({ platform, descriptor }) => {
    const proof = variants.get(platform);
    if (proof?.smoke === undefined) return [];
    const { native } = proof.smoke;
    return {
      subject: descriptor,
      predicateType: PROOF_PREDICATE,
      predicate: { tests, proof, ...(origin === undefined ? {} : { origin }) },
      // Other tests need a proof of their own; and where its origin matters, another origin does.
      isSame: (predicate) => {
        const said = v.outputOf(Predicate, predicate);
        if (said?.tests !== tests) return false;
        return origin === undefined || (isSame(said.origin, origin) && said.proof.smoke.native === native);
      },
    };
  });
}

function isSame(one: ProofOrigin | undefined, other: ProofOrigin): boolean {
  return one?.key === other.key && one.pipelines === other.pipelines;
}

/** See {@link Attestor.claims}. */
export async function readClaims(
  trust: Trust,
  { target, service }: Parameters<Attestor["claims"]>[0],
  { digest }: Parameters<Attestor["claims"]>[1],
): Promise<ProofClaim[]> {
  const source = { registry: target.client, repository: repositoryOf(target, service) };
  const found = await readAttestations(source, digest, { predicateTypes: [PROOF_PREDICATE] });
  return found.flatMap(({ bytes, statement }): ProofClaim[] => {
    // The list of a registry need not say of which type a bundle is.
    if (statement !== undefined && statement.predicateType !== PROOF_PREDICATE) return [];
    const verdict = verifyBundle(bytes, trust);
    if (!verdict.trusted) return [{ trusted: false, reason: `does not count: ${verdict.reason}` }];
    const { subjects, predicate } = verdict.statement;
    if (subjects.join() !== digest)
      return [{ trusted: false, reason: `is of another image, ${subjects.join(", ")}` }];
    const said = v.outputOf(Predicate, predicate);
    if (said === undefined) return [{ trusted: false, reason: "says nothing that can be read" }];
    const { tests, proof, origin } = said;
    return [
      { trusted: true, signer: verdict.signer, tests, origin, proof: proof as unknown as VariantProof },
    ];
  });
}

/** See {@link Attestor.proofs}. */
export async function readProofs(
  trust: Trust,
  { target, service, tests, origin }: Parameters<Attestor["proofs"]>[0],
  variants: Parameters<Attestor["proofs"]>[1],
): Promise<ReadonlyMap<string, VariantProof>> {
  const read = variants.map(async ({ digest, platform }): Promise<(readonly [string, VariantProof])[]> => {
    const claims = await readClaims(trust, { target, service }, { digest });
    const proofs = claims.flatMap((claim) =>
      claim.trusted && claim.tests === tests && (origin === undefined || isSame(claim.origin, origin))
        ? [claim.proof]
        : [],
    );
    const own = proofs.filter((proof) => proof.platform === platform);
    // Of several, a native run tells more.
    const best = own.find(({ smoke }) => smoke?.native === true) ?? own[0];
    return best === undefined ? [] : [[digest, best]];
  });
  try {
    return new Map((await Promise.all(read)).flat());
  } catch (error) {
    if (!isTgoError(error) || error.code === "INTERRUPTED") throw error;
    return new Map();
  }
}
