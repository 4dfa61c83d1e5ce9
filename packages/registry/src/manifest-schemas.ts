import { isUtf8 } from "node:buffer";
import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import { isDigest } from "./digest.js";
import { parseJson } from "./json.js";
import { ambiguityOf, excessOf } from "./strict-json.js";
import { DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from "./media-types.js";

const Text = v.optional(v.string());
const Annotations = v.optional(v.record(v.string(), v.string()));
const Strings = v.array(v.string());
const Digest = v.pipe(v.string(), v.check(isDigest, "not a sha256 or sha512 digest"));

/** Nobody's image has as many; a document of 4 MiB could list 30,000. */
const MAX_ENTRIES = 1000;
/** Of everything in a manifest or config: bounds the memory that it takes when parsed. */
const MAX_VALUES = 50_000;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md (the `platform` property) */
const DescriptorPlatform = v.object({
  os: v.string(),
  architecture: v.string(),
  variant: Text,
  "os.version": Text,
  "os.features": v.optional(Strings),
  features: v.optional(Strings),
});

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#properties */
export const Descriptor = v.object({
  mediaType: v.string(),
  digest: Digest,
  /** Bytes. */
  size: v.wholeNumber(0),
  urls: v.optional(Strings),
  /** The content itself, in base 64. */
  data: Text,
  annotations: Annotations,
  platform: v.optional(DescriptorPlatform),
  artifactType: Text,
});
export type Descriptor = v.InferOutput<typeof Descriptor>;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md, and Docker's manifest list. */
export const Index = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.picklist([OCI_INDEX, DOCKER_LIST]),
  manifests: v.pipe(v.array(Descriptor), v.maxLength(MAX_ENTRIES)),
  subject: v.optional(Descriptor),
  annotations: Annotations,
  artifactType: Text,
});
export type Index = v.InferOutput<typeof Index>;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md, and Docker's manifest v2 schema 2. */
export const Manifest = v.object({
  schemaVersion: v.literal(2),
  mediaType: v.picklist([OCI_MANIFEST, DOCKER_MANIFEST]),
  config: Descriptor,
  layers: v.pipe(v.array(Descriptor), v.maxLength(MAX_ENTRIES)),
  subject: v.optional(Descriptor),
  annotations: Annotations,
  artifactType: Text,
});
export type Manifest = v.InferOutput<typeof Manifest>;

const NullableText = v.nullish(v.string());
const NullableStrings = v.nullish(Strings);
const NullableKeys = v.nullish(v.record(v.string(), v.looseObject({})));
/** RFC 3339, as strictly as Go reads it. */
const Time = v.optional(
  v.pipe(
    v.string(),
    v.check(
      (text) =>
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text) &&
        !Number.isNaN(Date.parse(text)),
      "not a time",
    ),
  ),
);

/**
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties; unknown fields are kept. What this
 * program does not use is here for its type: an engine refuses the whole config when one is wrong.
 */
export const ImageConfig = v.looseObject({
  os: v.string(),
  architecture: v.string(),
  variant: Text,
  created: Time,
  author: NullableText,
  config: v.nullish(
    v.looseObject({
      User: NullableText,
      ExposedPorts: NullableKeys,
      Env: NullableStrings,
      Entrypoint: NullableStrings,
      Cmd: NullableStrings,
      Volumes: NullableKeys,
      WorkingDir: NullableText,
      Labels: v.nullish(v.record(v.string(), v.string())),
      StopSignal: NullableText,
      OnBuild: NullableStrings,
      Shell: NullableStrings,
      Healthcheck: v.nullish(v.looseObject({ Test: NullableStrings })),
    }),
  ),
  rootfs: v.looseObject({ type: v.literal("layers"), diff_ids: v.array(Digest) }),
  history: v.nullish(
    v.array(
      v.looseObject({
        created: Time,
        created_by: NullableText,
        author: NullableText,
        comment: NullableText,
        empty_layer: v.optional(v.boolean()),
      }),
    ),
  ),
});
export type ImageConfig = v.InferOutput<typeof ImageConfig>;

/** An index or a manifest. */
export const ManifestOrIndex = v.variant("mediaType", [Index, Manifest]);
export type ManifestOrIndex = v.InferOutput<typeof ManifestOrIndex>;

export function isIndex(value: ManifestOrIndex): value is Index {
  return value.mediaType === OCI_INDEX || value.mediaType === DOCKER_LIST;
}

/** @throws TgoError INVALID_RESPONSE when the bytes are neither an index nor a manifest */
export function parseManifestOrIndex(bytes: Uint8Array, where: string): ManifestOrIndex {
  const json = jsonOf(bytes, where, "a manifest");
  if (v.is(v.object({ schemaVersion: v.literal(1) }), json)) {
    throw new TgoError(
      "INVALID_RESPONSE",
      "the image uses Docker's manifest schema 1, which registries no longer accept",
      { where, remedy: "Push the image again with a current tool." },
    );
  }
  return parse(ManifestOrIndex, withMediaType(json, where), where, "a manifest");
}

const Body = v.looseObject({ mediaType: Text });

/**
 * The body may lack its media type (image-spec says SHOULD); then its properties decide. A body that could be read as
 * both an index and a manifest is refused (CVE-2021-41190).
 */
function withMediaType(json: unknown, where: string): unknown {
  const body = parse(Body, json, where, "a manifest");
  const isIndex = "manifests" in body;
  if (isIndex && ("config" in body || "layers" in body))
    throw unreadable("a manifest", "it is an index and a manifest at once", where);
  if ("fsLayers" in body || "history" in body) {
    const why = "it has fields of Docker's manifest schema 1 as well, which containerd and skopeo refuse";
    throw unreadable("a manifest", why, where);
  }
  return body.mediaType ? body : { ...body, mediaType: isIndex ? OCI_INDEX : inferManifest(body) };
}

/** @throws TgoError INVALID_RESPONSE when the bytes are not an image config */
export function parseConfig(bytes: Uint8Array, where: string): ImageConfig {
  return parse(ImageConfig, jsonOf(bytes, where, "an image config"), where, "an image config");
}

function inferManifest(body: object): string {
  const docker = v.object({ config: v.object({ mediaType: v.literal(DOCKER_CONFIG) }) });
  return v.is(docker, body) ? DOCKER_MANIFEST : OCI_MANIFEST;
}

function jsonOf(bytes: Uint8Array, where: string, what: string): unknown {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  const remedy = "Build and push the image again with a current tool.";
  const excess = excessOf(text, MAX_VALUES);
  if (excess !== undefined)
    throw new TgoError("INVALID_RESPONSE", `not ${what} that this program reads: ${excess}`, {
      where,
      remedy,
    });
  const json = isUtf8(bytes) ? parseJson(text) : undefined;
  const ambiguity = json === undefined ? undefined : ambiguityOf(text);
  if (ambiguity !== undefined) {
    throw new TgoError("INVALID_RESPONSE", `not ${what} that every program reads alike: ${ambiguity}`, {
      where,
      remedy,
    });
  }
  if (json !== undefined) return json;
  throw new TgoError("INVALID_RESPONSE", `expected ${what}, got ${firstBytes(text)}`, {
    where,
    remedy:
      "Check that this address is a container registry, and that no proxy or login page responds in its place.",
  });
}

function parse<T>(schema: v.GenericSchema<unknown, T>, json: unknown, where: string, what: string): T {
  const result = v.safeParse(schema, json);
  if (result.success) return result.output;
  throw unreadable(what, result.issues.slice(0, 3).map(v.describeIssue).join("; "), where);
}

function unreadable(what: string, why: string, where: string): TgoError {
  return new TgoError("INVALID_RESPONSE", `not ${what} this program can read: ${why}`, { where });
}

/** The beginning of an unexpected body, on one line, for a person to recognize. */
export function firstBytes(text: string): string {
  const start = text.slice(0, 200).replace(/\s+/g, " ").trim();
  if (start === "") return "an empty body";
  return /^<(?:!doctype|html|\?xml)/i.test(start) ? `an HTML page (${start})` : `"${start}"`;
}
