import { isTgoError, TgoError } from "@tgo/errors";
import { inParallel } from "./parallel.js";
import type { Registry } from "./client.js";
import { address } from "./address.js";
import type { Content } from "./http/transport.js";

/** A repository in a registry. */
export interface Repository {
  readonly registry: Registry;
  readonly repository: string;
}

/** What was done with one blob or manifest. */
export interface TransferProgress {
  readonly kind: "blob" | "manifest" | "tag";
  /** A digest, or the tag. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly outcome: "uploaded" | "mounted" | "present";
}

export type OnTransferProgress = (progress: TransferProgress) => void;

/** What a push or copy did. */
export interface TransferSummary {
  readonly uploaded: { readonly blobs: number; readonly bytes: number };
  /** Blobs that the registry shared from another repository. */
  readonly mounted: number;
  /** Blobs that were there. */
  readonly present: number;
}

/** Something to put: its bytes at hand, or to be read from `from`. */
export interface BlobToPut {
  readonly digest: string;
  readonly size: number;
  readonly bytes?: Uint8Array;
}

export interface ManifestToPut {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** An image in the order in which a registry takes it. */
export interface ImageParts {
  readonly blobs: readonly BlobToPut[];
  /** Children before the index that lists them; the last one is what the tag will name. */
  readonly manifests: readonly ManifestToPut[];
}

export interface TransferTarget {
  readonly to: Repository;
  /** Where blobs without bytes are. */
  readonly from?: Repository | undefined;
  readonly tag?: string | undefined;
  readonly onProgress?: OnTransferProgress | undefined;
  /** Looks for every blob and manifest, also where the tag is there: for a place that was seen to lack something. */
  readonly thorough?: boolean | undefined;
}

const BLOBS_AT_ONCE = 4;
const REPAIRS = 2;

/**
 * Puts blobs, then manifests by digest, the tag last: whoever sees the tag can pull all of it. What is there is
 * not sent again, so the same call continues one that broke off.
 */
export async function pushParts(shipment: ImageParts, destination: TransferTarget): Promise<TransferSummary> {
  const { to, tag, onProgress, thorough = false } = destination;
  const top = shipment.manifests.at(-1);
  if (top === undefined) throw new TgoError("INTERNAL", "an image without a manifest");
  const tally = new Tally(onProgress);
  const named = await to.registry.resolve(to.repository, tag ?? top.digest, { push: true });
  const isNamed = named?.digest === top.digest;
  if (isNamed && !thorough) {
    tally.allPresent(shipment, tag);
    return tally.result();
  }

  // A registry takes an index only when it has all that the index names.
  const complete =
    !thorough &&
    tag !== undefined &&
    (await to.registry.resolve(to.repository, top.digest, { push: true })) !== undefined;
  if (complete) tally.allPresent(shipment);
  else await putBlobs(shipment.blobs, destination, tally);
  for (const manifest of complete ? [] : shipment.manifests) {
    const present = (await to.registry.resolve(to.repository, manifest.digest, { push: true })) !== undefined;
    if (!present) await putManifest(manifest, shipment, destination, tally);
    tally.add({
      kind: "manifest",
      name: manifest.digest,
      size: manifest.bytes.length,
      outcome: present ? "present" : "uploaded",
    });
  }
  if (tag !== undefined && !isNamed) {
    await to.registry.putManifest(to.repository, tag, top.mediaType, top.bytes);
    tally.add({ kind: "tag", name: tag, size: top.bytes.length, outcome: "uploaded" });
  }
  return tally.result();
}

async function putBlobs(
  blobs: readonly BlobToPut[],
  { to, from }: TransferTarget,
  tally: Tally,
): Promise<void> {
  const unique = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
  await inParallel(BLOBS_AT_ONCE, unique, async ({ digest, size, bytes }) => {
    const outcome = await to.registry.putBlob(to.repository, {
      digest,
      size,
      open: () => bytes ?? read(from, to, digest),
      mountFrom: bytes === undefined ? mountSources(from, to) : [],
    });
    tally.add({ kind: "blob", name: digest, size, outcome: outcome === "exists" ? "present" : outcome });
  });
}

/** GHCR was seen to lose a blob between its upload and the manifest: what is missing is put again. */
async function putManifest(
  manifest: ManifestToPut,
  shipment: ImageParts,
  destination: TransferTarget,
  tally: Tally,
): Promise<void> {
  const { registry, repository } = destination.to;
  for (let repairs = 0; ; repairs++) {
    try {
      await registry.putManifest(repository, manifest.digest, manifest.mediaType, manifest.bytes);
      return;
    } catch (error) {
      if (!isTgoError(error) || error.code !== "NOT_FOUND" || repairs === REPAIRS) throw error;
      await putBlobs(shipment.blobs, destination, tally);
      for (const child of shipment.manifests.slice(0, shipment.manifests.indexOf(manifest))) {
        await registry.putManifest(repository, child.digest, child.mediaType, child.bytes);
      }
    }
  }
}

function read(from: Repository | undefined, to: Repository, digest: string): Promise<Content> {
  if (from !== undefined && !(inOneRegistry(from, to) && from.repository === to.repository)) {
    return from.registry.blob(from.repository, digest);
  }
  throw new TgoError(
    "NOT_FOUND",
    "a layer of the image is not in the repository, and no other place was given to take it from",
    {
      where: address(to.registry, to.repository, digest),
      remedy: "Build and push the image again.",
    },
  );
}

/** Within one registry, repositories can share blobs. */
function inOneRegistry({ registry: a }: Repository, { registry: b }: Repository): boolean {
  return a === b || (a.host === b.host && a.url === b.url);
}

function mountSources(from: Repository | undefined, to: Repository): string[] {
  return from !== undefined && inOneRegistry(from, to) && from.repository !== to.repository
    ? [from.repository]
    : [];
}

/** Counts each blob once, by what happened to it last. */
class Tally {
  readonly #blobs = new Map<string, TransferProgress>();

  constructor(private readonly onProgress: OnTransferProgress | undefined) {}

  add(progress: TransferProgress): void {
    const before = this.#blobs.get(progress.name);
    // A repair finds present what was uploaded a moment ago.
    if (before !== undefined && progress.outcome === "present") return;
    if (progress.kind === "blob") this.#blobs.set(progress.name, progress);
    this.onProgress?.(progress);
  }

  allPresent({ blobs, manifests }: ImageParts, tag?: string): void {
    for (const { digest, size } of blobs) this.add({ kind: "blob", name: digest, size, outcome: "present" });
    for (const { digest, bytes } of manifests)
      this.add({ kind: "manifest", name: digest, size: bytes.length, outcome: "present" });
    if (tag !== undefined)
      this.add({ kind: "tag", name: tag, size: manifests.at(-1)?.bytes.length ?? 0, outcome: "present" });
  }

  result(): TransferSummary {
    const all = [...this.#blobs.values()];
    const uploaded = all.filter(({ outcome }) => outcome === "uploaded");
    return {
      uploaded: { blobs: uploaded.length, bytes: uploaded.reduce((sum, { size }) => sum + size, 0) },
      mounted: all.filter(({ outcome }) => outcome === "mounted").length,
      present: all.filter(({ outcome }) => outcome === "present").length,
    };
  }
}
