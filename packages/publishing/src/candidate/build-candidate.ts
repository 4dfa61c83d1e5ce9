import { standardLabels, errorMessage } from "@tgo/builders";
import type { Service } from "@tgo/catalog";
import { finaliseImage, type FinalImage } from "@tgo/image";
import { buildAndTest, ProofStore, type VariantProof } from "@tgo/proof";
import type { Repository } from "@tgo/registry";
import type { PublishContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { CANDIDATE_ANNOTATION } from "./annotations.js";
import { stagingTag } from "./candidate-key.js";
import type { Prepared } from "./prepare-candidate.js";
import { uploadVariants } from "./upload-variants.js";

/** A candidate's image, built and tested, that is in no registry yet. */
export interface BuiltCandidate {
  readonly notes: readonly string[];
  readonly proofs: readonly VariantProof[];
  /** Brings the image's layers to a registry; says which image they belong to, and where to take them from. */
  readonly deliver: (target: Target) => Promise<{ readonly image: FinalImage; readonly from: Repository }>;
}

/**
 * Builds and tests every variant. The engine then uploads them to each registry under a staging tag; the first
 * registry that has them is read to finalise the image.
 */
export async function buildCandidate(context: PublishContext, prepared: Prepared): Promise<BuiltCandidate> {
  const { name, service, source } = prepared.request;
  const { built, proofs } = await buildAndTest(context, prepared.request);
  const staging = stagingTag(prepared.key);
  const labels = standardLabels(prepared.request);
  const finalise = (from: Repository): Promise<FinalImage> =>
    context.progress.step({ step: "finalise", service: name }, () =>
      finaliseImage({
        source: { ...from, reference: staging },
        platforms: [...context.platforms],
        created: source.created,
        annotations: { ...labels, [CANDIDATE_ANNOTATION]: prepared.key },
        manifestAnnotations: labels,
        // The engine's own lines differ from run to run.
        history: "drop",
      }),
    );
  const finalised = new Finalised((image) => recordProofs(context, { name, service, image, proofs }));
  return {
    notes: built.notes,
    proofs,
    deliver: async (target) => {
      await context.progress.step({ step: "upload", service: name, registry: target.name }, () =>
        uploadVariants(context, { target, service: name, variants: built.variants, tag: staging }),
      );
      const from = { registry: target.client, repository: repositoryOf(target, name) };
      return { image: await finalised.by(() => finalise(from)), from };
    },
  };
}

/**
 * The image, finalised from the first registry that gives all of it: it has the same bytes from each. A registry that
 * took the layers and then hangs holds up none of the others.
 */
class Finalised {
  readonly #attempts: Promise<FinalImage>[] = [];
  #image: FinalImage | undefined;
  #recorded: Promise<void> | undefined;

  constructor(private readonly record: (image: FinalImage) => Promise<void>) {}

  async by(finalise: () => Promise<FinalImage>): Promise<FinalImage> {
    if (this.#image === undefined) {
      const own = finalise();
      this.#attempts.push(own);
      this.#image = await Promise.any(this.#attempts).catch(() => own);
    }
    this.#recorded ??= this.record(this.#image);
    await this.#recorded;
    return this.#image;
  }
}

/** Keeps what was tested for later runs. Without it they test again: that is told, and is no failure. */
async function recordProofs(
  context: PublishContext,
  of: {
    readonly name: string;
    readonly service: Service;
    readonly image: FinalImage;
    readonly proofs: readonly VariantProof[];
  },
): Promise<void> {
  const { name, service, image, proofs } = of;
  const byManifest = image.variants.flatMap(({ platform, manifest }) => {
    const proof = proofs.find((one) => one.platform === platform);
    return proof === undefined ? [] : [[manifest.digest, proof] as const];
  });
  try {
    await new ProofStore(context).write(service, new Map(byManifest));
  } catch (error) {
    context.progress.note(
      { step: "proof", service: name },
      `the engine could not keep it, and a later run tests again: ${errorMessage(error)}`,
    );
  }
}
