import { digestOf, onceByDigest } from "@tgo/registry";
import type { Context } from "../context.js";
import type { ContainerState } from "../state.js";
import type { Origin } from "./image.js";
import type { LayerBlob } from "./layers.js";

const OCI = "application/vnd.oci.image";

/** Bytes with their descriptor. */
export interface Document {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly bytes: Buffer;
}

/** A complete image: its top document, those it refers to, and the layers' blobs in the store. */
export interface ImageDocuments {
  readonly top: Document;
  /** The manifests of an index. */
  readonly children: readonly Document[];
  readonly configs: readonly Document[];
  readonly layers: readonly LayerBlob[];
}

/**
 * The documents of an image with these variants, as Dagger writes them: of two variants of one platform the last counts;
 * a single platform is a plain manifest without an index.
 * @param onLayer called with each layer as soon as it is compressed
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 */
export async function assembleImage(
  cx: Context,
  variants: readonly ContainerState[],
  onLayer: (blob: LayerBlob) => void = () => undefined,
): Promise<ImageDocuments> {
  const byPlatform = new Map(variants.map((variant) => [variant.platform, variant]));
  const images = await Promise.all(
    [...byPlatform.values()].map((variant) => assembleVariant(cx, variant, onLayer)),
  );
  const layers = onceByDigest(images.flatMap((image) => image.layers));
  const configs = images.map((image) => image.config);
  const [only] = images;
  if (images.length === 1 && only) return { top: only.manifest, children: [], configs, layers };
  const top = document(`${OCI}.index.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.index.v1+json`,
    manifests: images.map(({ manifest, platform }) => ({ ...descriptor(manifest), platform })),
  });
  return { top, children: images.map((image) => image.manifest), configs, layers };
}

async function assembleVariant(
  cx: Context,
  { fs, origin, config: own, ...variant }: ContainerState,
  onLayer: (blob: LayerBlob) => void,
) {
  const snapshot = await fs.get();
  const blobs = await Promise.all(
    snapshot.layers.map(async (layer) => {
      const blob = await cx.layers.blobOf(layer);
      if (blob !== undefined) onLayer(blob);
      return blob;
    }),
  );
  const layers = blobs.filter((blob) => blob !== undefined);
  const [os = "linux", architecture = "amd64", variantName] = variant.platform.split("/");
  const platform = { architecture, os, ...(variantName === undefined ? {} : { variant: variantName }) };
  const created = origin?.created ?? EPOCH;
  const config = document(`${OCI}.config.v1+json`, {
    ...platform,
    created,
    config: own,
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: history(origin, snapshot.layers, blobs, created),
  });
  const manifest = document(`${OCI}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: descriptor(config),
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType: ociLayer(mediaType), digest, size })),
  });
  return { platform, config, manifest, layers };
}

/** The OCI media type for a layer's Docker media type. */
function ociLayer(mediaType: string): string {
  return mediaType
    .replace("application/vnd.docker.image.rootfs.diff.tar", `${OCI}.layer.v1.tar`)
    .replace("tar.", "tar+");
}

/** No build times, so the same inputs make the same image; only a base's own time is kept. */
const EPOCH = "1980-01-01T00:00:00Z";

/** The base's history, then an entry for each layer of ours; one without files is marked as empty. */
function history(
  origin: Origin | undefined,
  layers: readonly string[],
  blobs: readonly (LayerBlob | undefined)[],
  created: string,
): object[] {
  const isBased =
    origin?.layers.every((layer, index) => layers[index] === layer) === true && origin.history.length > 0;
  return [
    ...(isBased ? origin.history : []),
    ...blobs.slice(isBased ? origin.layers.length : 0).map((blob) => ({
      created,
      created_by: "tgo local-engine",
      ...(blob ? {} : { empty_layer: true }),
    })),
  ];
}

function document(mediaType: string, value: object): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { mediaType, digest: digestOf(bytes), size: bytes.length, bytes };
}

export function descriptor({ mediaType, digest, size }: Document): Omit<Document, "bytes"> {
  return { mediaType, digest, size };
}
