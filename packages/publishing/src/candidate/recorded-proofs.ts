import { errorMessage, type BuildContext } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { ProofStore, type BuiltImageRecord, type VariantProof } from "@tgo/proof";
import type { KnownProof } from "../verify/verification-rows.js";

/** A service whose image is tested. */
export interface TestedService {
  readonly name: string;
  readonly service: Service;
}

/** Proofs of an image's variants, by the digest of the variant's manifest. */
export type ProofsByManifest = ReadonlyMap<string, KnownProof>;

/** What this engine's store has of images found in registries. */
export interface RecordedProofs {
  readonly proofs: ProofsByManifest;
  /** Digest of the index that this engine built for the candidate; undefined if it built none. */
  readonly built: string | undefined;
}

/**
 * What this engine's store has of images' variants; nothing if it cannot be read, or without an engine.
 * @param candidate tag of the candidate
 */
export async function recordedProofs(
  context: BuildContext,
  { name, service }: TestedService,
  variants: readonly { readonly digest: string }[],
  candidate?: string,
): Promise<RecordedProofs> {
  if (context.host.withoutEngine === true) return { proofs: new Map(), built: undefined };
  try {
    const manifests = variants.map(({ digest }) => digest);
    const { proofs, built } = await new ProofStore(context).read(service, manifests, candidate);
    return {
      proofs: new Map([...proofs].map(([digest, proof]) => [digest, { proof, recorded: true }])),
      built,
    };
  } catch (error) {
    const note = `cannot read proofs from the engine's store: ${errorMessage(error)}`;
    context.progress.note({ step: "proof", service: name }, note);
    return { proofs: new Map(), built: undefined };
  }
}

/** Stores proofs by manifest digest, and what was built, for later runs. Failing to is no error: later runs test again. */
export async function recordProofs(
  context: BuildContext,
  { name, service }: TestedService,
  proofs: ReadonlyMap<string, VariantProof>,
  built?: BuiltImageRecord,
): Promise<void> {
  try {
    await new ProofStore(context).write(service, proofs, built);
  } catch (error) {
    const note = `cannot store the proof on the engine, later runs will test again: ${errorMessage(error)}`;
    context.progress.note({ step: "proof", service: name }, note);
  }
}
