import { isIndex, type Descriptor } from "./schema.js";
import {
  ship,
  type BlobToPut,
  type ManifestToPut,
  type OnProgress,
  type Place,
  type Transferred,
} from "./transfer.js";

/**
 * Copies an index or a manifest, and all it names, byte for byte. Blobs are looked for first, mounted within
 * one registry, and else streamed. The tag, when given, is put last; when it has this digest, nothing is read
 * but the manifests.
 * @throws TgoError as {@link Registry} does.
 */
export async function copyImage(o: {
  readonly from: Place;
  readonly digest: string;
  readonly to: Place;
  readonly tag?: string | undefined;
  readonly onProgress?: OnProgress | undefined;
}): Promise<Transferred & { readonly digest: string }> {
  const collected = await collect(o.from, o.digest);
  return { digest: o.digest, ...(await ship(collected, o)) };
}

async function collect(
  from: Place,
  digest: string,
): Promise<{ blobs: BlobToPut[]; manifests: ManifestToPut[] }> {
  const { bytes, value, descriptor } = await from.registry.manifest(from.repository, digest);
  const self = { digest, mediaType: descriptor.mediaType, bytes };
  if (!isIndex(value)) return { blobs: [...value.layers, value.config].filter(isHere), manifests: [self] };
  const children = await Promise.all(value.manifests.map((child) => collect(from, child.digest)));
  return {
    blobs: children.flatMap(({ blobs }) => blobs),
    manifests: [...children.flatMap(({ manifests }) => manifests), self],
  };
}

/** A layer with `urls` is fetched from there, and need not be in any registry. */
function isHere({ urls }: Descriptor): boolean {
  return urls === undefined || urls.length === 0;
}
