import { errorMessage, type BuildContext } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { ProofStore, type VariantProof } from "@tgo/proof";
import type { KnownProof } from "../verify/verification-rows.js";

/** A service whose image is tested. */
export interface TestedService {
  readonly name: string;
  readonly service: Service;
}

/** Proofs of an image's variants, by the digest of the variant's manifest. */
export type ProofsByManifest = ReadonlyMap<string, KnownProof>;

/** The proofs this engine's store has of an image's variants; none if the store cannot be read. */
export async function recordedProofs(
  context: BuildContext,
  { name, service }: TestedService,
  variants: readonly { readonly digest: string }[],
): Promise<ProofsByManifest> {
  try {
    const manifests = variants.map(({ digest }) => digest);
    const proofs = await new ProofStore(context).read(service, manifests);
    return new Map([...proofs].map(([digest, proof]) => [digest, { proof, recorded: true }]));
  } catch (error) {
    const note = `cannot read proofs from the engine's store: ${errorMessage(error)}`;
    context.progress.note({ step: "proof", service: name }, note);
    return new Map();
  }
}

/** Stores proofs by manifest digest for later runs. Failing to is no error: later runs test again. */
export async function recordProofs(
  context: BuildContext,
  { name, service }: TestedService,
  proofs: ReadonlyMap<string, VariantProof>,
): Promise<void> {
  try {
    await new ProofStore(context).write(service, proofs);
  } catch (error) {
    const note = `cannot store the proof on the engine, later runs will test again: ${errorMessage(error)}`;
    context.progress.note({ step: "proof", service: name }, note);
  }
}
