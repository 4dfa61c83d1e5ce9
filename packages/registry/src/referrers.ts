import { isTgoError, TgoError } from "@tgo/errors";
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from "./media-types.js";
import { digestOf } from "./digest.js";
import { canonicalJson } from "./json.js";
import { isIndex, type Descriptor, type Index } from "./manifest-schemas.js";
import type { Repository } from "./push-blobs-and-manifests.js";

/** A document attached to an image. */
export interface Artifact {
  /** Its artifact type; also the media type of its one layer. */
  readonly type: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
const EMPTY = new TextEncoder().encode("{}");

/** A document that is attached now. */
export interface AttachResult {
  /** Of the artifact's manifest. */
  readonly digest: string;
  readonly state: "done" | "already there";
}

/**
 * Attaches a document to an image: pushes a manifest whose subject is the image. A registry without the referrers
 * API also gets the tag in which clients then look for referrers. Attaching the same document again changes nothing.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 * @throws TgoError DENIED when the registry accepts no artifacts
 */
export async function attachArtifact(
  to: Repository,
  subject: Descriptor,
  artifact: Artifact,
): Promise<AttachResult> {
  const { type, content, annotations = {} } = artifact;
  const config = { mediaType: OCI_EMPTY, digest: digestOf(EMPTY), size: EMPTY.length };
  const layer = { mediaType: type, digest: digestOf(content), size: content.length };
  const { mediaType, digest, size } = subject;
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: type,
    config,
    layers: [layer],
    subject: { mediaType, digest, size },
    annotations,
  };
  const bytes = new TextEncoder().encode(canonicalJson(manifest));
  const own = { mediaType: OCI_MANIFEST, digest: digestOf(bytes), size: bytes.length };
  const [present, listed] = await Promise.all([
    to.registry.resolve(to.repository, own.digest, { push: true }),
    readList(to, subject),
  ]);
  if (present !== undefined && listed?.manifests.some((other) => other.digest === own.digest) === true)
    return { digest: own.digest, state: "already there" };
  const blobs = [
    { ...config, bytes: EMPTY },
    { ...layer, bytes: content },
  ];
  if (present === undefined) {
    await Promise.all(
      blobs.map(({ digest: blob, size: length, bytes: data }) =>
        to.registry.putBlob(to.repository, { digest: blob, size: length, open: () => data }),
      ),
    );
  }
  // Pushed even when it exists: only the response shows whether the registry lists referrers by itself. The list
  // cannot be requested everywhere: GHCR redirects to a web page.
  const put = await to.registry.putManifest(to.repository, own.digest, OCI_MANIFEST, bytes);
  if (put.subject !== undefined)
    return { digest: own.digest, state: present === undefined ? "done" : "already there" };
  await addToList(to, subject, listed?.manifests ?? [], { ...own, artifactType: type, annotations });
  return { digest: own.digest, state: "done" };
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
async function readList(to: Repository, subject: Descriptor): Promise<Index | undefined> {
  const tag = listTag(subject);
  const listed = await to.registry.manifest(to.repository, tag, { push: true }).catch((error: unknown) => {
    if (isTgoError(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  });
  const value = listed?.value;
  if (value === undefined || isIndex(value)) return value;
  throw new TgoError("CONFLICT", "the tag that should list the image's referrers is something else", {
    where: `${to.registry.host}/${to.repository}:${tag}`,
    remedy: "Find out who pushed it, and delete it.",
  });
}

/** Two concurrent writers lose an entry: the specification offers no remedy either. */
async function addToList(
  to: Repository,
  subject: Descriptor,
  others: readonly Descriptor[],
  referrer: Descriptor & { artifactType: string },
): Promise<void> {
  if (others.some(({ digest }) => digest === referrer.digest)) return;
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...others, referrer] };
  const bytes = new TextEncoder().encode(canonicalJson(index));
  await to.registry.putManifest(to.repository, listTag(subject), OCI_INDEX, bytes);
}

function listTag({ digest }: Descriptor): string {
  return digest.replace(":", "-");
}
