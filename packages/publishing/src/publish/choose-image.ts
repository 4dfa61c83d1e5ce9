import type { ProofsByManifest, RecordedProofs } from "../candidate/recorded-proofs.js";
import { splitByRequired } from "../targets/split-by-required.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { FoundImage, ImageLookup } from "./image-lookup.js";

/** What is known of images found in registries, and how to test them. */
export interface ImageTests {
  readonly recorded: (images: readonly FoundImage[]) => Promise<RecordedProofs>;
  /**
   * Checks and runs the variants of which no run is known; without `run`, it only checks the files of unknown ones.
   * @throws TgoError CHECK, SMOKE
   */
  readonly test: (
    image: FoundImage,
    known: ProofsByManifest,
    options: { readonly run: boolean },
  ) => Promise<ProofsByManifest>;
}

/** An image that may be copied and named, with its proofs by manifest digest. */
export interface ChosenImage {
  readonly image: FoundImage;
  readonly proofs: ProofsByManifest;
  readonly notes: readonly string[];
}

/**
 * Chooses one of the images that registries have. What this engine did not build or test is a claim, however many
 * registries make it: it is tested now. Of several such images none is chosen, nor one in place of what this engine built.
 * An image that has the version's tag in every required registry is released: its files are checked, it is not run.
 * @throws TgoError CHECK, SMOKE when the image fails its test now
 */
export async function chooseImage(
  context: TargetContext,
  { lookup, tests }: { readonly lookup: ImageLookup; readonly tests: ImageTests },
  found: readonly FoundImage[],
): Promise<ChosenImage | undefined> {
  if (found.length === 0) return undefined;
  const { proofs, built } = await tests.recorded(found);
  const isProven = ({ verification: { variants } }: FoundImage): boolean =>
    variants.every(({ digest }) => proofs.get(digest)?.proof.smoke !== undefined);
  const own = found.find(({ digest }) => digest === built);
  const image = own ?? found.find(isProven);
  if (image !== undefined && isProven(image)) return { image, proofs, notes: [] };
  const released = await lookup.released(splitByRequired(context).required);
  const claim = released ?? own ?? (built === undefined && found.length === 1 ? found[0] : undefined);
  if (claim === undefined) return undefined;
  const isReleased = claim === released;
  const note = isReleased
    ? "released before, and without a proof of this engine: its files were checked, it was not run"
    : `without a proof of this engine: checked and run again, as found in ${claim.from.name}`;
  return { image: claim, proofs: await tests.test(claim, proofs, { run: !isReleased }), notes: [note] };
}
