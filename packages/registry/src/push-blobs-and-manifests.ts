import { isTgoError, TgoError } from "@tgo/errors";
import { address } from "./address.js";
import type { Registry } from "./client.js";
import { onceByDigest } from "./digest.js";
import type { Content } from "./http/request.js";
import { inParallel } from "./parallel.js";
import { TransferMeter, type OnBytes } from "./transfer-meter.js";

/** A repository in a registry. */
export interface Repository {
  readonly registry: Registry;
  readonly repository: string;
}

/** What happened to one blob, manifest or tag. */
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
  /** Blobs mounted from another repository of the registry. */
  readonly mounted: number;
  /** Blobs that the repository had already. */
  readonly present: number;
}

/** A blob to push: its bytes are given, or opened for every attempt, or read from the source repository. */
export interface BlobToPut {
  readonly digest: string;
  readonly size: number;
  readonly bytes?: Uint8Array;
  readonly open?: () => Content | Promise<Content>;
}

export interface ManifestToPut {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** An image, in the order in which a registry accepts it. */
export interface ImageParts {
  readonly blobs: readonly BlobToPut[];
  /** Children before the index that lists them; the last one gets the tag. */
  readonly manifests: readonly ManifestToPut[];
}

export interface TransferTarget {
  readonly to: Repository;
  /** Where blobs without bytes are read from. */
  readonly from?: Repository;
  readonly tag?: string;
  readonly onProgress?: OnTransferProgress;
  /** How much of the blobs the registry has, in bytes. */
  readonly onBytes?: OnBytes;
  /** Checks every blob and manifest even when the tag exists: for a repository known to lack something. */
  readonly thorough?: boolean;
}

const BLOBS_AT_ONCE = 4;
const REPAIRS = 2;

/**
 * Pushes blobs, then manifests by digest, the tag last: a client that sees the tag can pull all of the image.
 * Nothing is sent twice, so the same call continues one that broke off.
 */
export async function pushBlobsAndManifests(
  parts: ImageParts,
  destination: TransferTarget,
): Promise<TransferSummary> {
  const { to, tag, onProgress, thorough = false } = destination;
  const top = parts.manifests.at(-1);
  if (top === undefined) throw new TgoError("INTERNAL", "an image without a manifest");
  const tally = new Tally(onProgress);
  const named = await to.registry.resolve(to.repository, tag ?? top.digest, { push: true });
  const isNamed = named?.digest === top.digest;
  if (isNamed && !thorough) {
    tally.allPresent(parts, tag);
    return tally.result();
  }

  // A registry accepts an index only when it has everything the index lists.
  const complete =
    !thorough &&
    tag !== undefined &&
    (await to.registry.resolve(to.repository, top.digest, { push: true })) !== undefined;
  if (complete) tally.allPresent(parts);
  else await putBlobs(parts.blobs, destination, tally);
  for (const manifest of complete ? [] : parts.manifests) {
    const present = (await to.registry.resolve(to.repository, manifest.digest, { push: true })) !== undefined;
    if (!present) await putManifest(manifest, parts, destination, tally);
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
  { to, from, onBytes = () => undefined }: TransferTarget,
  tally: Tally,
): Promise<void> {
  const unique = onceByDigest(blobs);
  const meter = new TransferMeter(unique, onBytes);
  await inParallel(BLOBS_AT_ONCE, unique, async ({ digest, size, bytes, open }) => {
    const outcome = await to.registry.putBlob(to.repository, {
      digest,
      size,
      open: async () => meter.count(digest, bytes ?? (await (open?.() ?? read(from, to, { digest, size })))),
      mountFrom: bytes === undefined && open === undefined ? mountSources(from, to) : [],
    });
    meter.finish(digest, size);
    tally.add({ kind: "blob", name: digest, size, outcome: outcome === "exists" ? "present" : outcome });
  });
}

/** GHCR has lost blobs between their upload and the manifest: missing ones are pushed again. */
async function putManifest(
  manifest: ManifestToPut,
  parts: ImageParts,
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
      await putBlobs(parts.blobs, destination, tally);
      for (const child of parts.manifests.slice(0, parts.manifests.indexOf(manifest))) {
        await registry.putManifest(repository, child.digest, child.mediaType, child.bytes);
      }
    }
  }
}

function read(from: Repository | undefined, to: Repository, blob: BlobToPut): Promise<Content> {
  if (from !== undefined && !(inOneRegistry(from, to) && from.repository === to.repository)) {
    return from.registry.blob(from.repository, blob);
  }
  throw new TgoError(
    "NOT_FOUND",
    "a layer of the image is not in the repository, and no other source was given",
    {
      where: address(to.registry, to.repository, blob.digest),
      remedy: "Build and push the image again.",
    },
  );
}

/** Repositories of one registry can share blobs. */
function inOneRegistry({ registry: a }: Repository, { registry: b }: Repository): boolean {
  return a === b || (a.host === b.host && a.url === b.url);
}

function mountSources(from: Repository | undefined, to: Repository): string[] {
  return from !== undefined && inOneRegistry(from, to) && from.repository !== to.repository
    ? [from.repository]
    : [];
}

/** Counts each blob once, by its last outcome. */
class Tally {
  readonly #blobs = new Map<string, TransferProgress>();

  constructor(private readonly onProgress: OnTransferProgress | undefined) {}

  add(progress: TransferProgress): void {
    const before = this.#blobs.get(progress.name);
    // A repair finds blobs present that were uploaded a moment ago.
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
