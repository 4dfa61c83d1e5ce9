import { TgoError } from "@tgo/errors";
import {
  DOCKER_FOREIGN_LAYER_GZIP,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  OCI_CONFIG,
  OCI_FOREIGN_LAYER_GZIP,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
  address,
  digestOf,
  canonicalJson,
  isIndex,
  type Descriptor,
  type FetchedManifest,
  type ImageConfig,
  type Index,
  type Manifest,
} from "@tgo/registry";
import { parsePlatform, platformOf, type Platform } from "./platform.js";
import { readStagedImage, type ImageLocation, type StagedVariant } from "./read-staged-image.js";

export interface FinalOptions {
  /** Exactly these variants, in any order. */
  readonly platforms: readonly Platform[];
  /** Becomes the time of every config and history entry. */
  readonly created: Date;
  /** Of the index. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Of each variant's manifest; they replace the engine's. */
  readonly manifestAnnotations?: Readonly<Record<string, string>>;
  /** Merged into each config's labels; these win. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Default "keep". Builders put random names into history lines; "drop" omits the history (it is optional). */
  readonly history?: "keep" | "drop";
}

/** Bytes and their sha256 digest. */
export interface SealedBlob {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

export interface FinalVariant {
  readonly platform: Platform;
  readonly manifest: SealedBlob;
  readonly config: SealedBlob;
  readonly layers: readonly Descriptor[];
  /** What a pull of this variant transfers: config and layers, compressed, in bytes. */
  readonly size: number;
}

/** An image as it will be published: the same input gives the same bytes, wherever and whenever it is built. */
export interface FinalImage {
  readonly digest: string;
  readonly index: { readonly bytes: Uint8Array; readonly mediaType: string; readonly value: Index };
  /** By platform name. */
  readonly variants: readonly FinalVariant[];
}

/**
 * Reads what the engine pushed and computes the image to publish. Writes nothing.
 * @throws TgoError CHECK, listing every difference, when the variants are not exactly the planned ones; what Registry
 * throws
 */
export async function finaliseImage({
  source,
  ...options
}: FinalOptions & { readonly source: ImageLocation }): Promise<FinalImage> {
  const staged = await readStagedImage(source);
  return finaliseVariants(staged, options, address(source.registry, source.repository, source.reference));
}

/** The pure part of {@link finaliseImage}. @param where for messages */
export function finaliseVariants(
  staged: readonly StagedVariant[],
  options: FinalOptions,
  where: string,
): FinalImage {
  checkVariants(staged, options.platforms, where);
  const variants = staged.map((variant) => finaliseVariant(variant, options)).sort(byPlatform);
  const value = finalIndex(
    variants.map(({ platform, manifest: { digest, bytes } }) => ({ platform, digest, size: bytes.length })),
    options.annotations,
  );
  const { bytes, digest } = seal(value);
  return { digest, index: { bytes, mediaType: OCI_INDEX, value }, variants };
}

function byPlatform(a: { readonly platform: Platform }, b: { readonly platform: Platform }): number {
  return a.platform < b.platform ? -1 : 1;
}

/** @param variants their manifests, in the order of their platforms */
function finalIndex(
  variants: readonly { readonly platform: Platform; readonly digest: string; readonly size: number }[],
  annotations: Readonly<Record<string, string>>,
): Index {
  return {
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: variants.map(({ platform, digest, size }) => ({
      mediaType: OCI_MANIFEST,
      digest,
      size,
      platform: parsePlatform(platform),
    })),
    annotations: { ...annotations },
  };
}

/** Whether an index is byte for byte what {@link finaliseVariants} writes for the variants that it lists. */
export function isFinalIndex(
  { value, descriptor }: FetchedManifest,
  annotations: Readonly<Record<string, string>>,
): boolean {
  if (!isIndex(value)) return false;
  const variants = value.manifests.flatMap(({ platform, digest, size }) =>
    platform === undefined ? [] : [{ platform: platformOf(platform), digest, size }],
  );
  return seal(finalIndex(variants.sort(byPlatform), annotations)).digest === descriptor.digest;
}

function finaliseVariant({ manifest, config }: StagedVariant, options: FinalOptions): FinalVariant {
  const sealedConfig = seal(finaliseConfig(config, options));
  const layers = manifest.layers.map(finaliseLayer);
  const value = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: sealedConfig.digest, size: sealedConfig.bytes.length },
    layers,
    ...(options.manifestAnnotations === undefined ? {} : { annotations: { ...options.manifestAnnotations } }),
  } satisfies Manifest;
  return {
    platform: platformOf(config),
    manifest: seal(value),
    config: sealedConfig,
    layers,
    size: layers.reduce((sum, { size }) => sum + size, sealedConfig.bytes.length),
  };
}

/** Docker's record of the container that a build step ran in: random names that nobody reads. */
const BUILD_LEFTOVERS = ["container", "container_config", "id", "parent"];

/**
 * Changes the time and the labels, and drops the names of the build's containers. Everything else stays (Docker's
 * health check, unknown fields).
 */
function finaliseConfig(
  config: ImageConfig,
  { created, labels = {}, history = "keep" }: FinalOptions,
): ImageConfig {
  // RFC 3339, in whole seconds like Git's.
  const time = `${created.toISOString().slice(0, 19)}Z`;
  const { history: entries, ...rest } = config;
  const kept = Object.fromEntries(Object.entries(rest).filter(([key]) => !BUILD_LEFTOVERS.includes(key)));
  const merged = { ...config.config?.Labels, ...labels };
  return {
    ...(kept as typeof rest),
    created: time,
    ...(config.config === undefined && Object.keys(merged).length === 0
      ? {}
      : { config: { ...config.config, ...(Object.keys(merged).length === 0 ? {} : { Labels: merged }) } }),
    ...(history === "keep" && entries != null
      ? { history: entries.map((entry) => ({ ...entry, created: time })) }
      : {}),
  };
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/media-types.md#compatibility-matrix */
const AS_OCI: Readonly<Record<string, string>> = {
  [DOCKER_LAYER]: OCI_LAYER,
  [DOCKER_LAYER_GZIP]: OCI_LAYER_GZIP,
  [DOCKER_LAYER_ZSTD]: OCI_LAYER_ZSTD,
  [DOCKER_FOREIGN_LAYER_GZIP]: OCI_FOREIGN_LAYER_GZIP,
};

function finaliseLayer({ mediaType, digest, size, urls, annotations }: Descriptor): Descriptor {
  return {
    mediaType: AS_OCI[mediaType] ?? mediaType,
    digest,
    size,
    ...(urls === undefined ? {} : { urls }),
    // Lazy pullers find a layer's table of contents by its annotations.
    ...(annotations === undefined ? {} : { annotations }),
  };
}

function checkVariants(
  staged: readonly StagedVariant[],
  platforms: readonly Platform[],
  where: string,
): void {
  const planned = platforms.map((platform) => platformOf(parsePlatform(platform)));
  const built = staged.map(({ config }) => platformOf(config));
  const problems = [
    ...planned.filter((platform) => !built.includes(platform)).map((platform) => `${platform} is missing`),
    ...built
      .filter((platform) => !planned.includes(platform))
      .map((platform) => `${platform} is not planned`),
    ...built
      .filter((platform, at) => built.indexOf(platform) !== at)
      .map((platform) => `${platform} is listed twice`),
    ...staged.flatMap(({ platform, config }) =>
      platform === undefined || platform === platformOf(config)
        ? []
        : [`the variant listed for ${platform} has the config of ${platformOf(config)}`],
    ),
    ...staged.flatMap(({ manifest, config }) =>
      manifest.layers.length === config.rootfs.diff_ids.length
        ? []
        : [
            `${platformOf(config)} has ${manifest.layers.length} layers, and its config lists ${config.rootfs.diff_ids.length}`,
          ],
    ),
  ];
  if (problems.length === 0) return;
  throw new TgoError("CHECK", `the staged image differs from the plan: ${problems.join("; ")}`, {
    where,
    remedy: `Planned: ${planned.join(", ")}. Build again; if it happens again, the build ignores the requested platform.`,
  });
}

function seal(value: object): SealedBlob {
  const bytes = new TextEncoder().encode(canonicalJson(value));
  return { bytes, digest: digestOf(bytes) };
}
