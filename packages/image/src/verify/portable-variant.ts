import {
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  DOCKER_MANIFEST,
  digestOf,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  type Descriptor,
} from "@tgo/registry";
import type { CachedVariant } from "./image-cache.js";

const LAYERS: ReadonlySet<string> = new Set([
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
]);

/** Why Docker, containerd and skopeo would not all pull the variant, or not the same one, as its documents show. */
export function portabilityProblems({ child, manifest, config }: CachedVariant): string[] {
  const expectedConfig = manifest.mediaType === DOCKER_MANIFEST ? DOCKER_CONFIG : OCI_CONFIG;
  const layers = manifest.layers.length;
  const diffIds = config.rootfs.diff_ids.length;
  const unknown = new Set(
    manifest.layers.map(({ mediaType }) => mediaType).filter((type) => !LAYERS.has(type)),
  );
  const { platform } = child;
  const features = ["os.version", "os.features", "features"] as const;
  return [
    ...(child.mediaType === manifest.mediaType
      ? []
      : [`the index calls the manifest ${child.mediaType}, it is ${manifest.mediaType}`]),
    ...features
      .filter((name) => platform?.[name] !== undefined)
      .map((name) => `the index lists it with "${name}", which not every client understands`),
    ...(manifest.config.mediaType === expectedConfig
      ? []
      : [`its config is ${manifest.config.mediaType}, not ${expectedConfig}`]),
    ...[...unknown].map((type) => `a layer is ${type}, which not every client unpacks`),
    ...(layers === diffIds ? [] : [`it has ${layers} layers, and its config lists ${diffIds} diff_ids`]),
    ...[child, manifest.config, ...manifest.layers].flatMap(descriptorProblems),
    ...contradictions(manifest.layers),
  ];
}

/** Engines that have a layer do not look at its next descriptor. */
function contradictions(layers: readonly Descriptor[]): string[] {
  const first = new Map<string, Descriptor>();
  const found = new Set<string>();
  for (const layer of layers) {
    const before = first.get(layer.digest) ?? layer;
    first.set(layer.digest, before);
    if (before.size !== layer.size || before.mediaType !== layer.mediaType) found.add(layer.digest);
  }
  return [...found].map((digest) => `the layer ${digest} is listed with different sizes or media types`);
}

function descriptorProblems({ digest, size, urls = [], data }: Descriptor): string[] {
  const embedded = data === undefined ? undefined : Buffer.from(data, "base64");
  return [
    ...(digest.startsWith("sha256:") ? [] : [`${digest} is not sha256, and containerd takes nothing else`]),
    ...(urls.length === 0
      ? []
      : [`${digest} names URLs: some clients download it from there, out of the registry's and our sight`]),
    ...(embedded === undefined || (embedded.length === size && digestOf(embedded) === digest)
      ? []
      : [`the data embedded for ${digest} is something else`]),
  ];
}
