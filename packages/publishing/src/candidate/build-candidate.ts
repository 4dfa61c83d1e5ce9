import type { PublishContext } from "../targets/publish-context.js";
import { finaliseImage, type FinalImage } from "@tgo/image";
import type { Repository } from "@tgo/registry";
import { CANDIDATE_ANNOTATION, proofAnnotations } from "./annotations.js";
import { standardLabels } from "@tgo/builders";
import { stagingTag } from "./candidate-key.js";
import { repositoryOf, type Target } from "../targets/target.js";
import type { Prepared } from "./prepare-candidate.js";
import { buildAndTest } from "@tgo/proof";
import { uploadVariants } from "./upload-variants.js";

/** A candidate's image, built and proven, that is in no registry yet. */
export interface BuiltCandidate {
  readonly notes: readonly string[];
  /** Brings the image's layers to a registry; says which image they are of, and where to take them from. */
  readonly deliver: (target: Target) => Promise<{ readonly image: FinalImage; readonly from: Repository }>;
}

/**
 * Builds and proves every variant. The engine then uploads them to each registry under a staging tag; a registry that
 * has them is read to finalise the image.
 */
export async function buildCandidate(context: PublishContext, prepared: Prepared): Promise<BuiltCandidate> {
  const { name, source } = prepared.request;
  const { built, checks, smokes } = await buildAndTest(context, prepared.request);
  const staging = stagingTag(prepared.key);
  const labels = standardLabels(prepared.request);
  const finalise = (from: Repository): Promise<FinalImage> =>
    context.progress.step({ step: "finalise", service: name }, () =>
      finaliseImage({
        source: { ...from, reference: staging },
        platforms: [...context.platforms],
        created: source.created,
        annotations: { ...labels, [CANDIDATE_ANNOTATION]: prepared.key, ...proofAnnotations(checks, smokes) },
        manifestAnnotations: labels,
        // The engine's own lines differ from run to run.
        history: "drop",
      }),
    );
  const finalised = new Finalised();
  return {
    notes: built.notes,
    deliver: async (target) => {
      await context.progress.step({ step: "upload", service: name, registry: target.name }, () =>
        uploadVariants(context, target, name, built.variants, staging),
      );
      const from = { registry: target.client, repository: repositoryOf(target, name) };
      return { image: await finalised.by(() => finalise(from)), from };
    },
  };
}

/**
 * The image, finalised from whichever registry is the first to give it all: it has the same bytes from each. Nobody
 * waits for one that took the layers and then hangs.
 */
class Finalised {
  readonly #attempts: Promise<FinalImage>[] = [];
  #image: FinalImage | undefined;

  async by(finalise: () => Promise<FinalImage>): Promise<FinalImage> {
    if (this.#image !== undefined) return this.#image;
    const own = finalise();
    this.#attempts.push(own);
    this.#image = await Promise.any(this.#attempts).catch(() => own);
    return this.#image;
  }
}
