import { isTgoError, TgoError } from "@tgo/errors";
import { OCI_EMPTY, OCI_INDEX, OCI_MANIFEST } from "./constants.js";
import { digestOf } from "./digest.js";
import { canonicalJson } from "./json.js";
import { isIndex, type Descriptor } from "./schema.js";
import type { Place } from "./transfer.js";

/** A document that belongs to an image. */
export interface Artifact {
  /** What kind of document it is; also the media type of its one layer. */
  readonly type: string;
  readonly content: Uint8Array;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md#guidance-for-an-empty-descriptor */
const EMPTY = new TextEncoder().encode("{}");

/**
 * Puts a document beside an image, as a manifest that names it as its subject. A registry that keeps no list of
 * referrers gets it in the tag that clients then look at. The same document again changes nothing.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests-with-subject
 * @returns the digest of the artifact's manifest
 * @throws TgoError DENIED where the registry takes no artifacts
 */
export async function attachArtifact(to: Place, subject: Descriptor, artifact: Artifact): Promise<string> {
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
  const blobs = [
    { ...config, bytes: EMPTY },
    { ...layer, bytes: content },
  ];
  for (const { digest: blob, size: length, bytes: data } of blobs)
    await to.registry.putBlob(to.repository, { digest: blob, size: length, open: () => data });
  const put = await to.registry.putManifest(to.repository, own.digest, OCI_MANIFEST, bytes);
  if (put.subject === undefined) await list(to, subject, { ...own, artifactType: type, annotations });
  return own.digest;
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema */
async function list(
  to: Place,
  subject: Descriptor,
  referrer: Descriptor & { artifactType: string },
): Promise<void> {
  const tag = subject.digest.replace(":", "-");
  const listed = await to.registry.manifest(to.repository, tag, { push: true }).catch((error: unknown) => {
    if (isTgoError(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  });
  const value = listed?.value;
  if (value !== undefined && !isIndex(value)) {
    throw new TgoError("CONFLICT", "the tag that lists what belongs to the image is something else", {
      where: `${to.registry.host}/${to.repository}:${tag}`,
      remedy: "Find out who pushed it, and remove it.",
    });
  }
  const others = value?.manifests ?? [];
  if (others.some(({ digest }) => digest === referrer.digest)) return;
  const index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...others, referrer] };
  const bytes = new TextEncoder().encode(canonicalJson(index));
  await to.registry.putManifest(to.repository, tag, OCI_INDEX, bytes);
}
