import type { VariantProof } from "@tgo/proof";
import { defined } from "@tgo/report";
import type { ProofOrigin } from "../attestation/attestor.js";
import type { ProofsByManifest, RecordedProofs } from "../candidate/recorded-proofs.js";
import { splitByRequired } from "../targets/split-by-required.js";
import type { TargetContext } from "../targets/publish-context.js";
import type { FoundImage, ImageLookup } from "./image-lookup.js";

/** What is known of images found in registries, and how to test them. */
export interface ImageTests {
  /** Hash of the tests, for signed proofs of them. */
  readonly key?: string;
  /** What signed proofs of them are for, if that matters: those for something else do not count. */
  readonly origin?: ProofOrigin;
  /** Which proofs count; all if absent. */
  readonly accepts?: (proof: VariantProof) => boolean;
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
 * registries make it: it is tested now, unless a trusted signer attached the proof of the same tests to it. Of several such images none is chosen, nor one in place of what this engine built.
 * An image that has the version's tag in every required registry is released: its files are checked, it is not run.
 * @throws TgoError CHECK, SMOKE when the image fails its test now
 */
export async function chooseImage(
  context: TargetContext,
  {
    service,
    lookup,
    tests,
  }: { readonly service: string; readonly lookup: ImageLookup; readonly tests: ImageTests },
  found: readonly FoundImage[],
): Promise<ChosenImage | undefined> {
  if (found.length === 0) return undefined;
  const recorded = await tests.recorded(found);
  const { built } = recorded;
  const proofs = await withSignedProofs(context, { service, tests }, found, recorded.proofs);
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

/** With proofs by trusted signers, of variants that this engine has none of. */
async function withSignedProofs(
  { attestor }: TargetContext,
  { service, tests }: { readonly service: string; readonly tests: ImageTests },
  found: readonly FoundImage[],
  known: ProofsByManifest,
): Promise<ProofsByManifest> {
  const { key, origin, accepts = () => true } = tests;
  if (attestor === undefined || key === undefined) return known;
  const read = found.map(async ({ from, verification: { variants } }) => {
    const unknown = variants.filter(({ digest }) => known.get(digest)?.proof.smoke === undefined);
    if (unknown.length === 0 || from.registry.referrers === false) return [];
    return [
      ...(await attestor.proofs({ target: from, service, tests: key, ...defined({ origin }) }, unknown)),
    ];
  });
  const signed = (await Promise.all(read)).flat();
  return new Map([
    ...known,
    ...signed.flatMap(([digest, proof]) =>
      accepts(proof) ? [[digest, { proof, recorded: true }] as const] : [],
    ),
  ]);
}
