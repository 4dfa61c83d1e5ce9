import { isIndex, type Descriptor } from "./documents.js";
import {
  pushParts,
  type BlobToPut,
  type ManifestToPut,
  type OnTransferProgress,
  type Repository,
  type TransferSummary,
} from "./transfer.js";

/**
 * Copies an index or a manifest, and all it names, byte for byte. Blobs are looked for first, mounted within
 * one registry, and else streamed. The tag, when given, is put last. A target that has the digest already is
 * only tagged, and one that has the tag too is left alone, whatever has become of the source.
 * @throws TgoError as {@link Registry} does.
 */
export async function copyImage(o: {
  readonly from: Repository;
  readonly digest: string;
  readonly to: Repository;
  readonly tag?: string | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
  /** Looks for every blob and manifest, also where the digest is there. */
  readonly thorough?: boolean | undefined;
}): Promise<TransferSummary & { readonly digest: string }> {
  const held = await o.to.registry.resolve(o.to.repository, o.digest, { push: true });
  const from = held === undefined || o.thorough === true ? o.from : o.to;
  return { digest: o.digest, ...(await pushParts(await collect(from, o.digest), { ...o, from })) };
}

async function collect(
  from: Repository,
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
