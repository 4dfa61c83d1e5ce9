import {
  OCI_MANIFEST,
  pushParts,
  type OnTransferProgress,
  type Repository,
  type TransferSummary,
} from "@tgo/registry";
import type { FinalImage } from "./finalise.js";

/**
 * Puts a finalised image into a repository: blobs, child manifests and the index by digest, the tag last.
 * When the tag (or, without one, the digest) is there with this digest, nothing is written.
 * @param from where the layers are; in the same registry they are mounted, from another one they are streamed.
 * @throws TgoError as {@link Registry} does; NOT_FOUND when a layer is nowhere.
 */
export async function pushImage(
  image: FinalImage,
  destination: {
    readonly to: Repository;
    readonly from?: Repository | undefined;
    readonly tag?: string | undefined;
    readonly onProgress?: OnTransferProgress | undefined;
    /** Looks for every blob and manifest, also where the tag is there. */
    readonly thorough?: boolean | undefined;
  },
): Promise<TransferSummary> {
  const blobs = image.variants.flatMap(({ config, layers }) => [
    ...layers.filter(({ urls }) => urls === undefined).map(({ digest, size }) => ({ digest, size })),
    { digest: config.digest, size: config.bytes.length, bytes: config.bytes },
  ]);
  const children = image.variants.map(({ manifest }) => ({ mediaType: OCI_MANIFEST, ...manifest }));
  const index = { mediaType: image.index.mediaType, digest: image.digest, bytes: image.index.bytes };
  return pushParts({ blobs, manifests: [...children, index] }, destination);
}
