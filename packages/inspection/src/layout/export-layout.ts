import { createWriteStream } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { TgoError } from "@tgo/errors";
import {
  canonicalJson,
  inParallel,
  isIndex,
  OCI_INDEX,
  type Descriptor,
  type FetchedManifest,
} from "@tgo/registry";
import { nameOf, readSource, type ImageSource } from "../image-source.js";
import { blobPath, INDEX_FILE, LAYOUT_FILE, LAYOUT_TEXT, REF_NAME } from "./layout.js";

const BLOBS_AT_ONCE = 4;
/** Signatures of an SBOM refer to it: how far referrers of referrers are followed. */
const MAX_DEPTH = 3;

/** What an image consists of, its referrers included. */
interface Parts {
  readonly manifests: Map<string, FetchedManifest>;
  readonly blobs: Map<string, Descriptor>;
  readonly referrers: Map<string, Descriptor>;
}

/**
 * Writes an image with everything that refers to it as an OCI image layout: all platforms, the index's attestations,
 * signatures and SBOMs, byte for byte. The same image makes the same files.
 * @param folder exists and is empty
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 * @throws TgoError as Registry does
 */
export async function exportLayout(
  source: ImageSource,
  folder: string,
): Promise<{ readonly digest: string }> {
  const found = await readSource(source);
  const parts: Parts = { manifests: new Map(), blobs: new Map(), referrers: new Map() };
  await collect(source, found, parts);
  await collectReferrers(source, parts, [...parts.manifests.keys()]);
  await mkdir(join(folder, "blobs"), { recursive: true });
  for (const { descriptor, bytes } of parts.manifests.values())
    await write(join(folder, blobPath(descriptor.digest)), bytes);
  await inParallel(BLOBS_AT_ONCE, [...parts.blobs.values()], async (blob) => {
    const path = join(folder, blobPath(blob.digest));
    await mkdir(dirname(path), { recursive: true });
    // Its digest is verified while it is read.
    await pipeline(await source.registry.blob(source.repository, blob), createWriteStream(path));
  });
  const { mediaType, digest, size } = found.descriptor;
  const name = source.wanted.includes(":") ? {} : { annotations: { [REF_NAME]: source.wanted } };
  const referrers = [...parts.referrers.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
  const index = {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: [{ mediaType, digest, size, ...name }, ...referrers],
  };
  await writeFile(join(folder, INDEX_FILE), canonicalJson(index));
  await writeFile(join(folder, LAYOUT_FILE), LAYOUT_TEXT);
  return { digest };
}

async function collect(source: ImageSource, found: FetchedManifest, parts: Parts): Promise<void> {
  if (parts.manifests.has(found.descriptor.digest)) return;
  parts.manifests.set(found.descriptor.digest, found);
  const { value } = found;
  if (isIndex(value)) {
    await inParallel(BLOBS_AT_ONCE, value.manifests, async (child) => {
      const read = await source.registry.manifest(source.repository, child.digest);
      if (isIndex(read.value))
        throw new TgoError("INVALID_RESPONSE", "the index lists another index", { where: nameOf(source) });
      await collect(source, read, parts);
    });
    return;
  }
  // A layer with URLs is fetched from there, and need not be in any registry.
  for (const blob of [value.config, ...value.layers])
    if ((blob.urls ?? []).length === 0) parts.blobs.set(blob.digest, blob);
}

async function collectReferrers(
  source: ImageSource,
  parts: Parts,
  subjects: readonly string[],
  depth = 1,
): Promise<void> {
  const lists = await inParallel(BLOBS_AT_ONCE, subjects, (digest) =>
    source.registry.referrers(source.repository, digest),
  );
  const found = lists.flatMap(({ entries }) => entries).filter(({ digest }) => !parts.referrers.has(digest));
  for (const entry of found) {
    const read = await source.registry.manifest(source.repository, entry.digest);
    parts.referrers.set(entry.digest, entry);
    await collect(source, read, parts);
  }
  if (found.length > 0 && depth < MAX_DEPTH)
    await collectReferrers(
      source,
      parts,
      found.map(({ digest }) => digest),
      depth + 1,
    );
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}
