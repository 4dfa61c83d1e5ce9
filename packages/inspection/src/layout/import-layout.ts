import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { foreseenProblem, TgoError } from "@tgo/errors";
import {
  address,
  digestOf,
  isDigest,
  isIndex,
  MAX_MANIFEST_BYTES,
  onceByDigest,
  parseManifestOrIndex,
  pushBlobsAndManifests,
  type ArtifactManifest,
  type Descriptor,
  type Index,
  type ManifestOrIndex,
} from "@tgo/registry";
import { defined } from "@tgo/report";
import { checkTag, type TagToWrite, type WrittenTag } from "../written-tag.js";
import { blobPath, INDEX_FILE, LAYOUT_FILE, REF_NAME } from "./layout.js";

/** Of a blob of an artifact, which is pushed from memory. */
const MAX_ARTIFACT_BYTES = 64 * 1024 * 1024;

/** What was imported, for `import`. JSON of this shape is part of the command's interface. */
export interface LayoutImport {
  readonly digest: string;
  readonly referrers: number;
  readonly targets: readonly WrittenTag[];
}

interface Document {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
  readonly value: ManifestOrIndex;
}

/** A layout whose every file has its digest. */
interface Layout {
  readonly image: Document;
  /** Children before the index that lists them. */
  readonly manifests: readonly Document[];
  readonly blobs: readonly Descriptor[];
  readonly referrers: readonly (ArtifactManifest & { readonly subject: string })[];
}

/**
 * Pushes the image of an OCI image layout under tags of several registries, with everything that refers to it; digests
 * stay. The layout is checked whole before the first write; a failure of one target stops no other.
 * @param options.move move tags that have another image; a version's tag never moves
 * @throws TgoError SOURCE for a folder that is no layout of one image, or whose files are not what their names say;
 *   CONFLICT for a tag that must not move
 */
export async function importLayout(
  folder: string,
  targets: readonly TagToWrite[],
  options: { readonly move?: boolean; readonly name?: string } = {},
): Promise<LayoutImport> {
  const layout = await readLayout(folder, options.name);
  const { digest } = layout.image.descriptor;
  const before = await Promise.all(targets.map((target) => checkTag(target, digest, options)));
  const written = await Promise.all(
    targets.map(async (target, at): Promise<WrittenTag> => {
      const reference = address(target.registry, target.repository, target.tag);
      const had = before[at] === digest ? undefined : before[at];
      try {
        const uploaded = await push(layout, folder, target);
        const state = before[at] === digest && uploaded === 0 ? "already there" : "done";
        return defined({ reference, state, before: had, uploaded } as const);
      } catch (error) {
        return defined({ reference, state: "failed", before: had, problem: foreseenProblem(error) } as const);
      }
    }),
  );
  return { digest, referrers: layout.referrers.length, targets: written };
}

/** @returns bytes of blobs that were sent */
async function push(
  layout: Layout,
  folder: string,
  { registry, repository, tag }: TagToWrite,
): Promise<number> {
  const { image, manifests, blobs, referrers } = layout;
  const { uploaded } = await pushBlobsAndManifests(
    {
      blobs: blobs.map(({ digest, size }) => ({
        digest,
        size,
        open: () =>
          Readable.toWeb(createReadStream(join(folder, blobPath(digest)))) as ReadableStream<Uint8Array>,
      })),
      manifests: [...manifests, image].map(({ descriptor, bytes }) => ({ ...descriptor, bytes })),
    },
    { to: { registry, repository }, tag },
  );
  // In the layout's order: what refers to a referrer comes after it.
  for (const subject of new Set(referrers.map((each) => each.subject)))
    await registry.attachManifests(
      repository,
      subject,
      referrers.filter((each) => each.subject === subject),
    );
  return uploaded.bytes;
}

async function readLayout(folder: string, name: string | undefined): Promise<Layout> {
  const version = await readFile(join(folder, LAYOUT_FILE), "utf8").catch(() => undefined);
  const bytes = await readFile(join(folder, INDEX_FILE)).catch(() => undefined);
  if (version === undefined || bytes === undefined || bytes.length > MAX_MANIFEST_BYTES)
    throw damaged(
      `the folder is no OCI image layout: it has no ${version === undefined ? LAYOUT_FILE : INDEX_FILE}`,
    );
  const index = parseManifestOrIndex(bytes, INDEX_FILE);
  if (!isIndex(index)) throw damaged(`${INDEX_FILE} is no index`);
  const documents = await Promise.all(index.manifests.map((entry) => readDocument(folder, entry)));
  const artifacts = documents.filter(({ value }) => value.subject !== undefined);
  const image = chooseImage(
    index,
    documents.filter(({ value }) => value.subject === undefined),
    name,
  );
  const children = isIndex(image.value)
    ? await Promise.all(image.value.manifests.map((child) => readDocument(folder, child)))
    : [];
  const blobs = blobsOf([...children, image]);
  for (const blob of blobs) await checkBlob(folder, blob);
  return {
    image,
    manifests: children,
    blobs,
    referrers: await Promise.all(artifacts.map((artifact) => readArtifact(folder, artifact))),
  };
}

function chooseImage({ manifests }: Index, images: readonly Document[], name: string | undefined): Document {
  const named = images.filter(({ descriptor: { digest } }) =>
    manifests.some(
      (entry) => entry.digest === digest && (name === undefined || entry.annotations?.[REF_NAME] === name),
    ),
  );
  const [image] = named;
  if (image !== undefined && named.length === 1) return image;
  const names = manifests.flatMap((entry) => entry.annotations?.[REF_NAME] ?? []).join(", ");
  const what = named.length === 0 ? "has no such image" : `has ${named.length} images`;
  throw new TgoError("SOURCE", `the layout ${what}`, {
    remedy: `Choose one with --name: ${names === "" ? "none of them has a name" : names}.`,
  });
}

async function readArtifact(
  folder: string,
  { descriptor, bytes, value }: Document,
): Promise<Layout["referrers"][number]> {
  const blobs = isIndex(value) ? [] : onceByDigest([value.config, ...value.layers]);
  const contents = await Promise.all(
    blobs.map(async (blob) => {
      if (blob.size > MAX_ARTIFACT_BYTES)
        throw damaged(
          `a referrer has a file of ${blob.size} bytes, more than the ${MAX_ARTIFACT_BYTES} that are read`,
        );
      await checkSize(folder, blob);
      return [blob.digest, await readBlobFile(folder, blob.digest)] as const;
    }),
  );
  const { mediaType, digest, size } = descriptor;
  const artifactType = value.artifactType ?? (isIndex(value) ? undefined : value.config.mediaType);
  const own = defined({ mediaType, digest, size, artifactType, annotations: value.annotations });
  return { own, bytes, blobs: contents, subject: value.subject?.digest ?? "" };
}

async function readDocument(folder: string, { digest, size, mediaType }: Descriptor): Promise<Document> {
  if (size > MAX_MANIFEST_BYTES) throw damaged(`a manifest of ${size} bytes: ${digest}`);
  const bytes = await readBlobFile(folder, digest, MAX_MANIFEST_BYTES);
  return {
    descriptor: { mediaType, digest, size: bytes.length },
    bytes,
    value: parseManifestOrIndex(bytes, digest),
  };
}

function blobsOf(documents: readonly Document[]): Descriptor[] {
  const all = documents.flatMap(({ value }) => (isIndex(value) ? [] : [value.config, ...value.layers]));
  return onceByDigest(all.filter(({ urls = [] }) => urls.length === 0));
}

/** A blob's file, and its size. @throws TgoError SOURCE */
async function blobFile(folder: string, digest: string): Promise<{ path: string; size: number }> {
  if (!isDigest(digest) || !digest.startsWith("sha256:")) throw damaged(`${digest} is no sha256 digest`);
  const path = join(folder, blobPath(digest));
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) throw damaged(`it lacks ${blobPath(digest)}`);
  return { path, size: found.size };
}

/** @throws TgoError SOURCE when the file has another size */
async function checkSize(folder: string, { digest, size }: Descriptor): Promise<string> {
  const found = await blobFile(folder, digest);
  if (found.size !== size) throw damaged(`${blobPath(digest)} has ${found.size} bytes, not ${size}`);
  return found.path;
}

/** The content of a blob. @throws TgoError SOURCE when the file is not what its name says, or too large */
async function readBlobFile(folder: string, digest: string, limit = Infinity): Promise<Buffer> {
  const { path, size } = await blobFile(folder, digest);
  if (size > limit) throw damaged(`${blobPath(digest)} has ${size} bytes, more than a manifest may have`);
  const bytes = await readFile(path);
  if (digestOf(bytes) !== digest) throw otherContent(digest);
  return bytes;
}

/** @throws TgoError SOURCE when the file is not what its name says; reads it to the end */
async function checkBlob(folder: string, blob: Descriptor): Promise<void> {
  const path = await checkSize(folder, blob);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  if (`sha256:${hash.digest("hex")}` !== blob.digest) throw otherContent(blob.digest);
}

function otherContent(digest: string): TgoError {
  return damaged(`${blobPath(digest)} has another content than its name says`);
}

function damaged(what: string): TgoError {
  return new TgoError("SOURCE", `the layout cannot be imported: ${what}`, {
    remedy: "Export the image again, and copy the whole folder.",
  });
}
