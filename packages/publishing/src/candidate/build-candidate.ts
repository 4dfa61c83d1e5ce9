import { type Built, standardLabels } from "@tgo/builders";
import { finaliseImage, type FinalImage } from "@tgo/image";
import { buildAndTest, type VariantProof } from "@tgo/proof";
import type { Repository } from "@tgo/registry";
import type { PublishContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { CANDIDATE_ANNOTATION } from "./annotations.js";
import { candidateTag, stagingTag } from "./candidate-key.js";
import type { Prepared } from "./prepared.js";
import { recordProofs } from "./recorded-proofs.js";
import { StagingUploads } from "./staging-uploads.js";

/** A candidate's image, built and tested, but in no registry yet. */
export interface BuiltCandidate {
  readonly notes: readonly string[];
  readonly proofs: readonly VariantProof[];
  /** Uploads the image's layers to a registry. @returns the image, and the repository to take its layers from */
  readonly deliver: (target: Target) => Promise<{ readonly image: FinalImage; readonly from: Repository }>;
}

/** What a candidate's build does for registries. */
export interface BuildFor {
  /** Registries that will need it: the uploads to them begin while the variants run. */
  readonly targets: readonly Target[];
  /** Takes notes for the report of a build that fails. */
  readonly note: (text: string) => void;
}

/**
 * Builds and tests every variant. Once the files of all have passed, the engine uploads them to each registry under a
 * staging tag; the image is finalised from the first registry that has them, after all have run.
 */
export async function buildCandidate(
  context: PublishContext,
  prepared: Prepared,
  { targets, note }: BuildFor,
): Promise<BuiltCandidate> {
  const { name, source } = prepared.request;
  const uploads = new StagingUploads(context, { service: name, tag: stagingTag(prepared.key) });
  const onChecked = (checked: Built): void => {
    uploads.begin(targets, checked);
  };
  const { built, proofs } = await buildAndTest(context, prepared.request, { onChecked }).catch(
    (error: unknown) => {
      context.progress.endService(name);
      uploads.abandon().forEach(note);
      throw error;
    },
  );
  const labels = standardLabels(prepared.request);
  // By the digest that the engine pushed: somebody else may write the tag as well.
  const finalise = (from: Repository, digest: string): Promise<FinalImage> =>
    context.progress.step({ step: "finalise", service: name }, () =>
      finaliseImage({
        source: { ...from, reference: digest },
        platforms: [...context.platforms],
        created: source.created,
        annotations: { ...labels, [CANDIDATE_ANNOTATION]: prepared.key },
        manifestAnnotations: labels,
        // The history that the engine writes differs from run to run.
        history: "drop",
      }),
    );
  const image = new FirstFinalised((final) => {
    context.ledger?.addBuilt(final.digest);
    return recordProofs(context, prepared.request, proofsByManifest(final, proofs), {
      candidate: candidateTag(prepared.key),
      index: final.digest,
    });
  });
  return {
    notes: built.notes,
    proofs,
    deliver: async (target) => {
      const digest = await uploads.digest(target, built);
      const from = { registry: target.client, repository: repositoryOf(target, name) };
      return { image: await image.get(() => finalise(from, digest)), from };
    },
  };
}

/**
 * The image, finalised from whichever registry is first to return all of it: its bytes are the same from each. A
 * registry that accepted the layers and then hangs does not hold up the others.
 */
class FirstFinalised {
  readonly #attempts: Promise<FinalImage>[] = [];
  #image: FinalImage | undefined;
  #recorded: Promise<void> | undefined;

  /** @param record stores what was tested, once the digests are known; called once */
  constructor(private readonly record: (image: FinalImage) => Promise<void>) {}

  async get(finalise: () => Promise<FinalImage>): Promise<FinalImage> {
    if (this.#image === undefined) {
      const attempt = finalise();
      this.#attempts.push(attempt);
      this.#image = await Promise.any(this.#attempts).catch(() => attempt);
    }
    this.#recorded ??= this.record(this.#image);
    await this.#recorded;
    return this.#image;
  }
}

function proofsByManifest(
  { variants }: FinalImage,
  proofs: readonly VariantProof[],
): ReadonlyMap<string, VariantProof> {
  return new Map(
    variants.flatMap(({ platform, manifest }) => {
      const proof = proofs.find((one) => one.platform === platform);
      return proof === undefined ? [] : [[manifest.digest, proof] as const];
    }),
  );
}
