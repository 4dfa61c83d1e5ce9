import { isTgoError, TgoError } from "@tgo/errors";
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from "./media-types.js";
import { digestOf } from "./digest.js";
import { canonicalJson } from "./json.js";
import { isIndex, type Descriptor, type Index } from "./documents.js";
import type { Repository } from "./transfer.js";

/** A document that belongs to an image. */
export interface Artifact {
  /** What kind of document it is; also the media type of its one layer. */
  readonly type: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
const EMPTY = new TextEncoder().encode("{}");

/** A document that is beside its image now. */
export interface AttachResult {
  /** Of the artifact's manifest. */
  readonly digest: string;
  readonly state: "done" | "already there";
}

/**
 * Puts a document beside an image, as a manifest that names it as its subject. A registry that keeps no list of
 * referrers gets it in the tag that clients then look at. The same document again changes nothing.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 * @throws TgoError DENIED where the registry takes no artifacts
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
  const [held, listed] = await Promise.all([
    to.registry.resolve(to.repository, own.digest, { push: true }),
    readList(to, subject),
  ]);
  if (held !== undefined && listed?.manifests.some((other) => other.digest === own.digest) === true)
    return { digest: own.digest, state: "already there" };
  const blobs = [
    { ...config, bytes: EMPTY },
    { ...layer, bytes: content },
  ];
  if (held === undefined) {
    await Promise.all(
      blobs.map(({ digest: blob, size: length, bytes: data }) =>
        to.registry.putBlob(to.repository, { digest: blob, size: length, open: () => data }),
      ),
    );
  }
  // Put again, where it is there: only this tells whether the registry lists it by itself. The list cannot be asked for
  // everywhere: GHCR answers with a redirect to a web page.
  const put = await to.registry.putManifest(to.repository, own.digest, OCI_MANIFEST, bytes);
  if (put.subject !== undefined)
    return { digest: own.digest, state: held === undefined ? "done" : "already there" };
  await list(to, subject, listed?.manifests ?? [], { ...own, artifactType: type, annotations });
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
  throw new TgoError("CONFLICT", "the tag that lists what belongs to the image is something else", {
    where: `${to.registry.host}/${to.repository}:${tag}`,
    remedy: "Find out who pushed it, and remove it.",
  });
}

/** Two writers at once lose an entry: the specification knows no remedy either. */
async function list(
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
