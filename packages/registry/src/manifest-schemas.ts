import { isUtf8 } from "node:buffer";
import { TgoError } from "@tgo/errors";
import * as z from "zod/mini";
import { isDigest } from "./digest.js";
import { parseJson, validate } from "./json.js";
import { ambiguityOf, excessOf } from "./strict-json.js";
import { DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from "./media-types.js";

const Text = z.optional(z.string());
const Annotations = z.optional(z.record(z.string(), z.string()));
const Strings = z.array(z.string());
const Digest = z.string().check(z.refine(isDigest, "not a sha256 or sha512 digest"));

/** Nobody's image has as many; a document of 4 MiB could list 30,000. */
const MAX_ENTRIES = 1000;
/** Of everything in a manifest or config: bounds the memory that it takes when parsed. */
const MAX_VALUES = 50_000;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md (the `platform` property) */
const DescriptorPlatform = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: Text,
  "os.version": Text,
  "os.features": z.optional(Strings),
  features: z.optional(Strings),
});

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#properties */
export const Descriptor = z.object({
  mediaType: z.string(),
  digest: Digest,
  /** Bytes. */
  size: z.int().check(z.nonnegative()),
  urls: z.optional(Strings),
  /** The content itself, in base 64. */
  data: Text,
  annotations: Annotations,
  platform: z.optional(DescriptorPlatform),
  artifactType: Text,
});
export type Descriptor = z.infer<typeof Descriptor>;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md, and Docker's manifest list. */
export const Index = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([OCI_INDEX, DOCKER_LIST]),
  manifests: z.array(Descriptor).check(z.maxLength(MAX_ENTRIES)),
  subject: z.optional(Descriptor),
  annotations: Annotations,
});
export type Index = z.infer<typeof Index>;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md, and Docker's manifest v2 schema 2. */
export const Manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([OCI_MANIFEST, DOCKER_MANIFEST]),
  config: Descriptor,
  layers: z.array(Descriptor).check(z.maxLength(MAX_ENTRIES)),
  subject: z.optional(Descriptor),
  annotations: Annotations,
  artifactType: Text,
});
export type Manifest = z.infer<typeof Manifest>;

const NullableText = z.nullish(z.string());
const NullableStrings = z.nullish(Strings);
const NullableKeys = z.nullish(z.record(z.string(), z.looseObject({})));
/** RFC 3339, as strictly as Go reads it. */
const Time = z.optional(
  z
    .string()
    .check(
      z.refine(
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
export const ImageConfig = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: Text,
  created: Time,
  author: NullableText,
  config: z.nullish(
    z.looseObject({
      User: NullableText,
      ExposedPorts: NullableKeys,
      Env: NullableStrings,
      Entrypoint: NullableStrings,
      Cmd: NullableStrings,
      Volumes: NullableKeys,
      WorkingDir: NullableText,
      Labels: z.nullish(z.record(z.string(), z.string())),
      StopSignal: NullableText,
      OnBuild: NullableStrings,
      Shell: NullableStrings,
      Healthcheck: z.nullish(z.looseObject({ Test: NullableStrings })),
    }),
  ),
  rootfs: z.looseObject({ type: z.literal("layers"), diff_ids: z.array(Digest) }),
  history: z.nullish(
    z.array(
      z.looseObject({
        created: Time,
        created_by: NullableText,
        author: NullableText,
        comment: NullableText,
        empty_layer: z.optional(z.boolean()),
      }),
    ),
  ),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

const Body = z.looseObject({ mediaType: Text });

/**
 * An index or a manifest. The body may lack its media type (image-spec says SHOULD); then its properties decide.
 * A body that could be read as both is refused (CVE-2021-41190).
 */
export const ManifestOrIndex = z.pipe(
  z.pipe(
    Body,
    z.transform((body: z.infer<typeof Body>, context) => {
      const isIndex = "manifests" in body;
      const isManifest = "config" in body || "layers" in body;
      if (isIndex && isManifest) {
        context.issues.push({
          code: "custom",
          message: "it is an index and a manifest at once",
          input: body,
        });
        return z.NEVER;
      }
      if ("fsLayers" in body || "history" in body) {
        context.issues.push({
          code: "custom",
          message: "it has fields of Docker's manifest schema 1 as well, which containerd and skopeo refuse",
          input: body,
        });
        return z.NEVER;
      }
      if (body.mediaType !== undefined && body.mediaType !== "") return body;
      return { ...body, mediaType: isIndex ? OCI_INDEX : inferManifest(body) };
    }),
  ),
  z.discriminatedUnion("mediaType", [Index, Manifest]),
);
export type ManifestOrIndex = z.infer<typeof ManifestOrIndex>;

export function isIndex(value: ManifestOrIndex): value is Index {
  return value.mediaType === OCI_INDEX || value.mediaType === DOCKER_LIST;
}

/** @throws TgoError INVALID_RESPONSE when the bytes are neither an index nor a manifest */
export function parseDocument(bytes: Uint8Array, where: string): ManifestOrIndex {
  const json = jsonOf(bytes, where, "a manifest");
  if (z.object({ schemaVersion: z.literal(1) }).safeParse(json).success) {
    throw new TgoError(
      "INVALID_RESPONSE",
      "the image uses Docker's manifest schema 1, which registries no longer accept",
      { where, remedy: "Push the image again with a current tool." },
    );
  }
  return parse(ManifestOrIndex, json, where, "a manifest");
}

/** @throws TgoError INVALID_RESPONSE when the bytes are not an image config */
export function parseConfig(bytes: Uint8Array, where: string): ImageConfig {
  return parse(ImageConfig, jsonOf(bytes, where, "an image config"), where, "an image config");
}

function inferManifest(body: object): string {
  const docker = z.object({ config: z.object({ mediaType: z.literal(DOCKER_CONFIG) }) });
  return docker.safeParse(body).success ? DOCKER_MANIFEST : OCI_MANIFEST;
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

function parse<T>(schema: z.ZodMiniType<T>, json: unknown, where: string, what: string): T {
  const result = validate(schema, json);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new TgoError(
    "INVALID_RESPONSE",
    `not ${what} this program can read: ${issues.slice(0, 3).join("; ")}`,
    {
      where,
    },
  );
}

/** The beginning of an unexpected body, on one line, for a person to recognize. */
export function firstBytes(text: string): string {
  const start = text.slice(0, 200).replace(/\s+/g, " ").trim();
  if (start === "") return "an empty body";
  return /^<(?:!doctype|html|\?xml)/i.test(start) ? `an HTML page (${start})` : `"${start}"`;
}
