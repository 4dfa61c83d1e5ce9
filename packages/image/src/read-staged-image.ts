import { TgoError } from "@tgo/errors";
import {
  ATTESTATION_ANNOTATION,
  MAX_MANIFEST_BYTES,
  address,
  type Registry,
  isIndex,
  parseConfig,
  type Descriptor,
  type ImageConfig,
  type Manifest,
} from "@tgo/registry";
import { platformOf } from "./platform.js";

/** One variant as the engine pushed it. */
export interface StagedVariant {
  /** As the index says; undefined for a plain manifest. */
  readonly platform: string | undefined;
  readonly digest: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

export interface ImageLocation {
  readonly registry: Registry;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
}

/** Reads a staged index (or the manifest of a single variant) that an engine has just pushed. */
export async function readStagedImage({
  registry,
  repository,
  reference,
}: ImageLocation): Promise<StagedVariant[]> {
  const { value, descriptor } = await registry.manifest(repository, reference, { fresh: true });
  if (!isIndex(value))
    return [
      await readVariant(registry, repository, {
        manifest: value,
        digest: descriptor.digest,
        platform: undefined,
      }),
    ];
  return Promise.all(
    value.manifests
      .filter((child) => !isAttestation(child))
      .map(async (child) => {
        const { value: manifest } = await registry.manifest(repository, child.digest, { fresh: true });
        if (isIndex(manifest)) {
          throw new TgoError("INVALID_RESPONSE", "the index lists another index", {
            where: address(registry, repository, child.digest),
          });
        }
        const platform = child.platform === undefined ? undefined : platformOf(child.platform);
        return readVariant(registry, repository, { manifest, digest: child.digest, platform });
      }),
  );
}

/** BuildKit lists attestations under the platform "unknown/unknown". */
export function isAttestation({ platform, annotations }: Descriptor): boolean {
  return (
    annotations?.[ATTESTATION_ANNOTATION] !== undefined ||
    platform?.os === "unknown" ||
    platform?.architecture === "unknown"
  );
}

/** Reads a small blob into memory. */
export async function readBlob(
  registry: Registry,
  repository: string,
  { digest, size }: Descriptor,
): Promise<Uint8Array> {
  const where = address(registry, repository, digest);
  if (size > MAX_MANIFEST_BYTES)
    throw new TgoError("INVALID_RESPONSE", `a blob of ${size} bytes is not an image config`, { where });
  const chunks: Uint8Array[] = [];
  for await (const chunk of await registry.blob(repository, { digest, size })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function readVariant(
  registry: Registry,
  repository: string,
  { manifest, digest, platform }: Omit<StagedVariant, "config">,
): Promise<StagedVariant> {
  const bytes = await readBlob(registry, repository, manifest.config);
  return {
    platform,
    digest,
    manifest,
    config: parseConfig(bytes, address(registry, repository, manifest.config.digest)),
  };
}
