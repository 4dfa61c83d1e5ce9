import { type Built, standardLabels } from "@tgo/builders";
import type { Platform } from "@tgo/catalog";
import { type BillFiles, finaliseImage, type FinalImage } from "@tgo/image";
import { buildAndTest, type VariantProof } from "@tgo/proof";
import type { Repository } from "@tgo/registry";
import type { PublishContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { CANDIDATE_ANNOTATION } from "./annotations.js";
import { candidateTag, stagingTag, variantKey, variantTag } from "./candidate-key.js";
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
  /** Builds and tests the image of this platform alone. */
  readonly only?: Platform;
}

/**
 * Builds and tests every variant. Once the files of all have passed, the engine uploads them to each registry under a
 * staging tag; the image is finalised from the first registry that has them, after all have run.
 */
export async function buildCandidate(
  context: PublishContext,
  prepared: Prepared,
  { targets, note, only }: BuildFor,
): Promise<BuiltCandidate> {
  const { key } = prepared;
  const request = only === undefined ? prepared.request : { ...prepared.request, only };
  const { name, source } = request;
  const uploads = new StagingUploads(context, { service: name, tag: stagingTag(key, only) });
  const onChecked = (checked: Built): void => {
    uploads.begin(targets, checked);
  };
  const { ledger } = context;
  const billFiles = new Map<string, BillFiles>();
  const onBillFiles = (platform: string, files: BillFiles): void => void billFiles.set(platform, files);
  const options = { onChecked, ...(ledger === undefined ? {} : { onBillFiles }) };
  const { built, proofs } = await buildAndTest(context, request, options).catch((error: unknown) => {
    context.progress.endService(name);
    uploads.abandon().forEach(note);
    throw error;
  });
  const labels = standardLabels(request);
  const ownKey = only === undefined ? key : variantKey(key, only, built.compiled);
  // By the digest that the engine pushed: somebody else may write the tag as well.
  const finalise = (from: Repository, digest: string, registry: string): Promise<FinalImage> =>
    context.progress.step({ step: "finalise", service: name, registry }, () =>
      finaliseImage({
        source: { ...from, reference: digest },
        platforms: only === undefined ? [...context.platforms] : [only],
        created: source.created,
        annotations: { ...labels, [CANDIDATE_ANNOTATION]: ownKey },
        manifestAnnotations: labels,
        // The history that the engine writes differs from run to run.
        history: "drop",
      }),
    );
  const image = new FirstFinalised((final) => {
    ledger?.addBuilt(final.digest);
    for (const { platform, manifest } of final.variants) {
      const files = billFiles.get(platform);
      if (files !== undefined) ledger?.addFiles(manifest.digest, files);
    }
    return recordProofs(context, request, proofsByManifest(final, proofs), {
      candidate: only === undefined ? candidateTag(key) : variantTag(key, only),
      index: final.digest,
    });
  });
  return {
    notes: built.notes,
    proofs,
    deliver: async (target) => {
      const digest = await uploads.digest(target, built);
      const from = { registry: target.client, repository: repositoryOf(target, name) };
      return { image: await image.get(() => finalise(from, digest, target.name)), from };
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

/** An image's proofs by the digests of its manifests. */
export function proofsByManifest(
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
