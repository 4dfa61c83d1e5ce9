import { TgoError } from "@tgo/errors";
import * as z from "zod";
import { DOCKER_CONFIG, DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from "./media-types.js";
import { isDigest } from "./digest.js";
import { parseJson } from "./json.js";

const Annotations = z.record(z.string(), z.string());

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md (the `platform` property) */
const DescriptorPlatform = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#properties */
export const Descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().refine(isDigest, "not a sha256 or sha512 digest"),
  /** Bytes. */
  size: z.int().nonnegative(),
  urls: z.array(z.string()).optional(),
  annotations: Annotations.optional(),
  platform: DescriptorPlatform.optional(),
  artifactType: z.string().optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md, and Docker's manifest list. */
export const Index = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([OCI_INDEX, DOCKER_LIST]),
  manifests: z.array(Descriptor),
  annotations: Annotations.optional(),
});
export type Index = z.infer<typeof Index>;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md, and Docker's manifest v2 schema 2. */
export const Manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.enum([OCI_MANIFEST, DOCKER_MANIFEST]),
  config: Descriptor,
  layers: z.array(Descriptor),
  annotations: Annotations.optional(),
  artifactType: z.string().optional(),
});
export type Manifest = z.infer<typeof Manifest>;

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md#properties; unknown fields are kept. */
export const ImageConfig = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
  created: z.string().optional(),
  config: z.looseObject({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
  rootfs: z.looseObject({ type: z.literal("layers"), diff_ids: z.array(z.string()) }),
  history: z
    .array(z.looseObject({ created: z.string().optional(), empty_layer: z.boolean().optional() }))
    .nullish(),
});
export type ImageConfig = z.infer<typeof ImageConfig>;

/**
 * An index or a manifest. The media type may be missing from the body (image-spec says SHOULD); then the
 * properties tell. A body that could be read as both is refused (CVE-2021-41190).
 */
export const Document = z
  .looseObject({ mediaType: z.string().optional() })
  .transform((body, context) => {
    const isIndex = "manifests" in body;
    const isManifest = "config" in body || "layers" in body;
    if (isIndex && isManifest) {
      context.addIssue({ code: "custom", message: "it is an index and a manifest at once" });
      return z.NEVER;
    }
    if (body.mediaType !== undefined && body.mediaType !== "") return body;
    return { ...body, mediaType: isIndex ? OCI_INDEX : inferManifest(body) };
  })
  .pipe(z.discriminatedUnion("mediaType", [Index, Manifest]));
export type Document = z.infer<typeof Document>;

export function isIndex(value: Document): value is Index {
  return value.mediaType === OCI_INDEX || value.mediaType === DOCKER_LIST;
}

/** @throws TgoError INVALID_RESPONSE when the bytes are no index and no manifest. */
export function parseDocument(bytes: Uint8Array, where: string): Document {
  const json = jsonOf(bytes, where, "a manifest");
  if (z.object({ schemaVersion: z.literal(1) }).safeParse(json).success) {
    throw new TgoError(
      "INVALID_RESPONSE",
      "the image uses Docker's manifest schema 1, which no registry takes any more",
      {
        where,
        remedy: "Push the image again with a current tool.",
      },
    );
  }
  return check(Document, json, where, "a manifest");
}

/** @throws TgoError INVALID_RESPONSE when the bytes are no image config. */
export function parseConfig(bytes: Uint8Array, where: string): ImageConfig {
  return check(ImageConfig, jsonOf(bytes, where, "an image config"), where, "an image config");
}

function inferManifest(body: Record<string, unknown>): string {
  const config = z.object({ config: z.object({ mediaType: z.string() }) }).safeParse(body);
  return config.success && config.data.config.mediaType === DOCKER_CONFIG ? DOCKER_MANIFEST : OCI_MANIFEST;
}

function jsonOf(bytes: Uint8Array, where: string, what: string): unknown {
  const text = new TextDecoder().decode(bytes);
  const json = parseJson(text);
  if (json === undefined) {
    throw new TgoError("INVALID_RESPONSE", `expected ${what}, got ${firstBytes(text)}`, {
      where,
      remedy:
        "Check that this address is a container registry, and that no proxy or login page answers for it.",
    });
  }
  return json;
}

function check<T>(schema: z.ZodType<T>, json: unknown, where: string, what: string): T {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => `${issue.path.join(".") || "(top)"}: ${issue.message}`);
  throw new TgoError(
    "INVALID_RESPONSE",
    `not ${what} this program can read: ${issues.slice(0, 3).join("; ")}`,
    { where },
  );
}

/** The beginning of a body that is not what was asked for, on one line, for a person to recognise. */
export function firstBytes(text: string): string {
  const start = text.slice(0, 200).replace(/\s+/g, " ").trim();
  if (start === "") return "an empty body";
  return /^<(?:!doctype|html|\?xml)/i.test(start) ? `an HTML page (${start})` : `"${start}"`;
}
