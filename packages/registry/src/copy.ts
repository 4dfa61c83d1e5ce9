import { TgoError } from "@tgo/errors";
import { address } from "./address.js";
import { isIndex, type Descriptor } from "./manifest-schemas.js";
import {
  pushBlobsAndManifests,
  type BlobToPut,
  type ManifestToPut,
  type Repository,
  type TransferSummary,
  type TransferTarget,
} from "./push-blobs-and-manifests.js";

/**
 * Copies an index or a manifest, and everything it lists, byte for byte. Blobs that exist are skipped; the others are
 * mounted within one registry, else streamed. The tag, if given, is pushed last. A target that has the digest is only
 * tagged, and one that has the tag too is left alone, even when the source is gone.
 * @throws TgoError as {@link Registry} does
 */
export async function copyImage(
  image: TransferTarget & { readonly from: Repository; readonly digest: string },
): Promise<TransferSummary & { readonly digest: string }> {
  const { to, digest, thorough = false } = image;
  const present = await to.registry.resolve(to.repository, digest, { push: true });
  const from = present === undefined || thorough ? image.from : to;
  return { digest, ...(await pushBlobsAndManifests(await collect(from, digest), { ...image, from })) };
}

async function collect(
  from: Repository,
  digest: string,
  nested = false,
): Promise<{ blobs: BlobToPut[]; manifests: ManifestToPut[] }> {
  const { bytes, value, descriptor } = await from.registry.manifest(from.repository, digest);
  const self = { digest, mediaType: descriptor.mediaType, bytes };
  if (!isIndex(value)) return { blobs: [...value.layers, value.config].filter(isHosted), manifests: [self] };
  if (nested) {
    throw new TgoError("INVALID_RESPONSE", "the index lists another index", {
      where: address(from.registry, from.repository, digest),
    });
  }
  const children = await Promise.all(value.manifests.map((child) => collect(from, child.digest, true)));
  return {
    blobs: children.flatMap(({ blobs }) => blobs),
    manifests: [...children.flatMap(({ manifests }) => manifests), self],
  };
}

/** A layer with `urls` is fetched from there, and need not be in any registry. */
function isHosted({ urls }: Descriptor): boolean {
  return urls === undefined || urls.length === 0;
}
