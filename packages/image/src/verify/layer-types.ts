import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  type Descriptor,
} from "@tgo/registry";

type Typed = Pick<Descriptor, "mediaType">;

const LAYERS: ReadonlySet<string> = new Set([
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
]);

/** Whether a layer's media type is one that this program and every client unpacks. */
export function isReadableLayer({ mediaType }: Typed): boolean {
  return LAYERS.has(mediaType);
}

export function isZstdLayer({ mediaType }: Typed): boolean {
  return mediaType === OCI_LAYER_ZSTD || mediaType === DOCKER_LAYER_ZSTD;
}

/**
 * Whether clients get a layer from elsewhere, and registries need not have it.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#non-distributable-layers
 */
export function isForeignLayer({ mediaType }: Typed): boolean {
  return /\.(?:nondistributable|foreign)\./.test(mediaType);
}
