import { DOCKER_CONFIG, DOCKER_MANIFEST, digestOf, OCI_CONFIG, type Descriptor } from "@tgo/registry";
import type { CheckName } from "./check.js";
import type { CachedVariant } from "./image-cache.js";
import { isForeignLayer, isReadableLayer } from "./layer-types.js";

interface PortabilityProblem {
  readonly check: CheckName;
  readonly what: string;
}

/** Why Docker, containerd and skopeo would not all pull the variant, or not the same one, as its documents show. */
export function portabilityProblems({ child, manifest, config }: CachedVariant): PortabilityProblem[] {
  const expectedConfig = manifest.mediaType === DOCKER_MANIFEST ? DOCKER_CONFIG : OCI_CONFIG;
  const layers = manifest.layers.length;
  const diffIds = config.rootfs.diff_ids.length;
  const unknown = new Set(
    manifest.layers.filter((layer) => !isReadableLayer(layer)).map(({ mediaType }) => mediaType),
  );
  const { platform } = child;
  const features = ["os.version", "os.features", "features"] as const;
  const found = (check: CheckName, texts: readonly string[]): PortabilityProblem[] =>
    texts.map((what) => ({ check, what }));
  const inManifests = [
    ...(child.mediaType === manifest.mediaType
      ? []
      : [`the index calls the manifest ${child.mediaType}, it is ${manifest.mediaType}`]),
    ...features
      .filter((name) => platform?.[name] !== undefined)
      .map((name) => `the index lists it with "${name}", which not every client understands`),
    ...descriptorProblems(child),
  ];
  const inConfig = [
    ...(manifest.config.mediaType === expectedConfig
      ? []
      : [`its config is ${manifest.config.mediaType}, not ${expectedConfig}`]),
    ...descriptorProblems(manifest.config),
  ];
  const inLayers = [
    ...[...unknown].map(layerProblem),
    // Those of a foreign layer are where it comes from.
    ...manifest.layers.filter((layer) => !isForeignLayer(layer)).flatMap(descriptorProblems),
    ...contradictions(manifest.layers),
  ];
  const inDiffIds =
    layers === diffIds ? [] : [`it has ${layers} layers, and its config lists ${diffIds} diff_ids`];
  return [
    ...found("manifests", inManifests),
    ...found("configs", inConfig),
    ...found("layers", inLayers),
    ...found("diff_ids", inDiffIds),
  ];
}

function layerProblem(mediaType: string): string {
  if (isForeignLayer({ mediaType }))
    return `a layer is nondistributable (${mediaType}): registries need not have it, and clients get it from elsewhere`;
  if (mediaType.endsWith("+encrypted"))
    return `a layer is encrypted (${mediaType}): nobody unpacks it without its key`;
  return `a layer is ${mediaType}, which not every client unpacks`;
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
