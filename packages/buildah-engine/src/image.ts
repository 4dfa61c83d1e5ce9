import type { Context } from "./context.js";
import { OCI_LAYER_GZIP, type LayerBlob } from "./layers.js";
import type { Origin } from "./images.js";
import type { ContainerState } from "./state.js";
import { sha256 } from "./store.js";

export type MediaTypes = "oci" | "docker";

const TYPES = {
  oci: {
    index: "application/vnd.oci.image.index.v1+json",
    manifest: "application/vnd.oci.image.manifest.v1+json",
    config: "application/vnd.oci.image.config.v1+json",
    layer: (type: string) =>
      type
        .replace("application/vnd.docker.image.rootfs.diff.tar.", "application/vnd.oci.image.layer.v1.tar+")
        .replace("application/vnd.docker.image.rootfs.diff.tar", "application/vnd.oci.image.layer.v1.tar"),
  },
  docker: {
    index: "application/vnd.docker.distribution.manifest.list.v2+json",
    manifest: "application/vnd.docker.distribution.manifest.v2+json",
    config: "application/vnd.docker.container.image.v1+json",
    layer: (type: string) =>
      type === OCI_LAYER_GZIP
        ? "application/vnd.docker.image.rootfs.diff.tar.gzip"
        : type.replace(
            "application/vnd.oci.image.layer.v1.tar+",
            "application/vnd.docker.image.rootfs.diff.tar.",
          ),
  },
} as const;

/** Bytes with their descriptor. */
export interface Document {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly bytes: Buffer;
}

/** An image, complete: its top document, what that names, and the layers' blobs (in the store). */
export interface ImageDocuments {
  readonly top: Document;
  /** Manifests below an index. */
  readonly children: readonly Document[];
  readonly configs: readonly Document[];
  readonly layers: readonly LayerBlob[];
}

/**
 * The documents of an image with these variants, as Dagger writes them: of two variants of one platform the last
 * one counts; a single platform is a plain manifest without an index; annotations are the variants', not the index's.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md
 */
export async function assembleImage(
  cx: Context,
  variants: readonly ContainerState[],
  types: MediaTypes,
): Promise<ImageDocuments> {
  const byPlatform = new Map(variants.map((variant) => [variant.platform, variant]));
  const images = await Promise.all(
    [...byPlatform.values()].map((variant) => assembleVariant(cx, variant, types)),
  );
  const layers = [
    ...new Map(images.flatMap((image) => image.layers).map((layer) => [layer.digest, layer])).values(),
  ];
  const configs = images.map((image) => image.config);
  const [only] = images;
  if (images.length === 1 && only) return { top: only.manifest, children: [], configs, layers };
  const top = document(TYPES[types].index, {
    schemaVersion: 2,
    mediaType: TYPES[types].index,
    manifests: images.map(({ manifest: { mediaType, digest, size }, platform }) => ({
      mediaType,
      digest,
      size,
      platform,
    })),
  });
  return { top, children: images.map((image) => image.manifest), configs, layers };
}

async function assembleVariant(cx: Context, variant: ContainerState, types: MediaTypes) {
  const snapshot = await variant.fs.get();
  const blobs = await Promise.all(snapshot.layers.map((layer) => cx.layers.blobOf(layer)));
  const layers = blobs.filter((blob) => blob !== undefined);
  const [os = "linux", architecture = "amd64", variantName] = variant.platform.split("/");
  const platform = { architecture, os, ...(variantName === undefined ? {} : { variant: variantName }) };
  const created = variant.origin?.created ?? EPOCH;
  const config = document(TYPES[types].config, {
    ...platform,
    created,
    config: variant.config,
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: history(variant.origin, snapshot.layers, blobs, created),
  });
  const manifest = document(TYPES[types].manifest, {
    schemaVersion: 2,
    mediaType: TYPES[types].manifest,
    config: descriptor(config),
    layers: layers.map(({ mediaType, digest, size }) => ({
      mediaType: TYPES[types].layer(mediaType),
      digest,
      size,
    })),
    ...(Object.keys(variant.annotations).length === 0 ? {} : { annotations: variant.annotations }),
  });
  return { platform, config, manifest, layers };
}

/** The same inputs make the same image, so the time of building is in none; a base's own time is. */
const EPOCH = "1980-01-01T00:00:00Z";

/** The base's history, then an entry for each layer of ours; one without files is an empty layer. */
function history(
  origin: Origin | undefined,
  layers: readonly string[],
  blobs: readonly (LayerBlob | undefined)[],
  created: string,
): object[] {
  const based =
    origin?.layers.every((layer, index) => layers[index] === layer) === true && origin.history.length > 0;
  return [
    ...(based ? origin.history : []),
    ...blobs.slice(based ? origin.layers.length : 0).map((blob) => ({
      created,
      created_by: "tgo buildah-engine",
      ...(blob ? {} : { empty_layer: true }),
    })),
  ];
}

function document(mediaType: string, value: object): Document {
  const bytes = Buffer.from(JSON.stringify(value));
  return { mediaType, digest: sha256(bytes), size: bytes.length, bytes };
}

export function descriptor({ mediaType, digest, size }: Document): {
  mediaType: string;
  digest: string;
  size: number;
} {
  return { mediaType, digest, size };
}
