import {
  OCI_MANIFEST,
  pushBlobsAndManifests,
  type TransferSummary,
  type TransferTarget,
} from "@tgo/registry";
import type { FinalImage } from "./finalise.js";

/**
 * Pushes a finalised image: blobs, child manifests and the index by digest, the tag last. Writes nothing when the tag
 * (or, without one, the digest) already points to this digest.
 * @param destination its `from` is where the layers are: mounted from the same registry, streamed from another one
 * @throws TgoError as Registry does; NOT_FOUND when a layer is missing
 */
export async function pushImage(image: FinalImage, destination: TransferTarget): Promise<TransferSummary> {
  const blobs = image.variants.flatMap(({ config, layers }) => [
    ...layers.filter(({ urls = [] }) => urls.length === 0).map(({ digest, size }) => ({ digest, size })),
    { digest: config.digest, size: config.bytes.length, bytes: config.bytes },
  ]);
  const children = image.variants.map(({ manifest }) => ({ mediaType: OCI_MANIFEST, ...manifest }));
  const index = { mediaType: image.index.mediaType, digest: image.digest, bytes: image.index.bytes };
  return pushBlobsAndManifests({ blobs, manifests: [...children, index] }, destination);
}
