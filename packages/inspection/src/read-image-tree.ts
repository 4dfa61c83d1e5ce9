import { foreseenProblem } from "@tgo/errors";
import { isAttestation, platformOf, readBlob } from "@tgo/image";
import {
  DOCKER_CONFIG,
  inParallel,
  isIndex,
  OCI_CONFIG,
  parseConfig,
  type Descriptor,
  type ImageConfig,
  type Index,
  type Manifest,
} from "@tgo/registry";
import { defined } from "@tgo/report";
import { nameOf, readSource, type ImageSource } from "./image-source.js";
import type {
  AttestationTree,
  ConfigTree,
  HistoryTree,
  ImageTree,
  LayerTree,
  PlatformTree,
  ReferrerTree,
} from "./image-tree.js";

/** Documents of one image that are read at once. */
const READS_AT_ONCE = 8;

/**
 * Reads everything about images but their layers. What belongs to an image and cannot be read is a note, the image
 * itself an error.
 * @param platforms only these; all when empty
 * @throws TgoError as {@link readSource} does
 */
export async function readImageTrees(
  sources: readonly ImageSource[],
  platforms: readonly string[] = [],
): Promise<ImageTree[]> {
  const trees = await Promise.all(sources.map((source) => readImageTree(source, platforms)));
  const holders = new Map<string, number>();
  const all = trees.flatMap((tree) => tree.platforms);
  for (const digests of all.map(({ layers }) => new Set(layers.map(({ digest }) => digest))))
    for (const digest of digests) holders.set(digest, (holders.get(digest) ?? 0) + 1);
  const isShared = (layer: LayerTree): LayerTree => ({
    ...layer,
    shared: (holders.get(layer.digest) ?? 0) > 1,
  });
  return trees.map((tree) => ({
    ...tree,
    platforms: tree.platforms.map((each) => ({ ...each, layers: each.layers.map(isShared) })),
  }));
}

async function readImageTree(source: ImageSource, platforms: readonly string[]): Promise<ImageTree> {
  const { descriptor, value } = await readSource(source);
  const notes: string[] = [];
  const common = {
    reference: nameOf(source),
    digest: descriptor.digest,
    mediaType: descriptor.mediaType,
    size: descriptor.size,
    annotations: value.annotations ?? {},
  };
  const [content, referrers] = await Promise.all([
    isIndex(value)
      ? readIndex(source, { index: value, digest: descriptor.digest, platforms }, notes)
      : readSingle(source, { manifest: value, descriptor }, notes),
    readReferrers(source, descriptor.digest, notes),
  ]);
  return defined({ ...common, ...content, referrers, notes });
}

type Content = Pick<ImageTree, "kind" | "platforms" | "attestations"> & {
  readonly artifactType?: string | undefined;
  readonly blobs?: readonly Descriptor[] | undefined;
};

async function readIndex(
  source: ImageSource,
  { index, digest, platforms }: { index: Index; digest: string; platforms: readonly string[] },
  notes: string[],
): Promise<Content> {
  const wanted = (child: Descriptor): boolean =>
    platforms.length === 0 ||
    platforms.includes(child.platform === undefined ? "" : platformOf(child.platform));
  const children = index.manifests.filter((child) => !isAttestation(child));
  const chosen = children.filter(wanted);
  const listed = children.map(({ platform }) => (platform === undefined ? "" : platformOf(platform)));
  for (const platform of platforms)
    if (!listed.includes(platform)) notes.push(`the index does not list ${platform}`);
  if (children.length === 0) notes.push("the index lists no image");
  const attestations = index.manifests.filter(isAttestation);
  const [read, attested] = await Promise.all([
    inParallel(READS_AT_ONCE, chosen, (child) => readChild(source, { child, digest }, notes)),
    inParallel(READS_AT_ONCE, attestations, (child) => readAttestation(source, child, notes)),
  ]);
  return {
    kind: "index",
    artifactType: index.artifactType,
    platforms: read.filter((each) => each !== undefined),
    attestations: attested,
  };
}

/** A single manifest: an image of one platform, or an artifact. */
async function readSingle(
  source: ImageSource,
  { manifest, descriptor }: { manifest: Manifest; descriptor: Descriptor },
  notes: string[],
): Promise<Content> {
  const { mediaType } = manifest.config;
  if (mediaType !== OCI_CONFIG && mediaType !== DOCKER_CONFIG) {
    const blobs = manifest.layers;
    const artifactType = manifest.artifactType ?? mediaType;
    return { kind: "artifact", platforms: [], attestations: [], artifactType, blobs };
  }
  notes.push("a single manifest, not an index: it serves one platform");
  const variant = await readVariant(source, { child: descriptor, manifest }, notes);
  return { kind: "image", platforms: [variant], attestations: [], artifactType: manifest.artifactType };
}

async function readChild(
  source: ImageSource,
  { child, digest }: { child: Descriptor; digest: string },
  notes: string[],
): Promise<PlatformTree | undefined> {
  const name = child.platform === undefined ? child.digest : platformOf(child.platform);
  try {
    const { value } = await source.registry.manifest(source.repository, child.digest);
    if (isIndex(value)) {
      notes.push(`${name} is another index: no client pulls it`);
      return undefined;
    }
    return await readVariant(source, { child, manifest: value, index: digest }, notes);
  } catch (error) {
    notes.push(`${name} cannot be read: ${foreseenProblem(error).what}`);
    return undefined;
  }
}

async function readVariant(
  source: ImageSource,
  { child, manifest, index }: { child: Descriptor; manifest: Manifest; index?: string },
  notes: string[],
): Promise<PlatformTree> {
  const { registry, repository } = source;
  const config = await readConfig(source, manifest.config).catch((error: unknown) => {
    notes.push(`the config ${manifest.config.digest} cannot be read: ${foreseenProblem(error).what}`);
    return undefined;
  });
  const history = config === undefined ? [] : historyOf(config, manifest.layers);
  const parts = child.platform ?? (config?.os && config.architecture ? config : undefined);
  const platform = parts === undefined ? "unknown" : platformOf(parts);
  if (platform === "unknown") notes.push(`${child.digest} names no platform: no client can choose it`);
  const by = new Map(history.map(({ layer, createdBy }) => [layer, createdBy]));
  const choice = parts === undefined ? "" : ` --platform ${platform}`;
  return defined({
    platform,
    digest: child.digest,
    mediaType: manifest.mediaType,
    size: manifest.layers.reduce((sum, { size }) => sum + size, manifest.config.size),
    annotations: { ...child.annotations, ...manifest.annotations },
    config: config && configTree(config, manifest.config.digest),
    layers: manifest.layers.map(({ digest, mediaType, size }) =>
      defined({ digest, mediaType, size, shared: false, createdBy: by.get(digest) }),
    ),
    history,
    pull: `docker pull${choice} ${registry.host}/${repository}@${index ?? child.digest}`,
  });
}

async function readConfig({ registry, repository }: ImageSource, config: Descriptor): Promise<ImageConfig> {
  const bytes = await readBlob(registry, repository, config);
  return parseConfig(bytes, `${registry.host}/${repository}@${config.digest}`);
}

/** Steps without `empty_layer` made a layer each, in order. */
function historyOf({ history }: ImageConfig, layers: readonly Descriptor[]): HistoryTree[] {
  let next = 0;
  return (history ?? []).map(({ created, created_by, comment, empty_layer }) =>
    defined({
      created,
      createdBy: created_by ?? "",
      comment: comment ?? undefined,
      layer: empty_layer === true ? undefined : layers[next++]?.digest,
    }),
  );
}

function configTree({ config, ...document }: ImageConfig, digest: string): ConfigTree {
  return defined({
    digest,
    architecture: document.architecture,
    os: document.os,
    variant: document.variant,
    created: document.created,
    user: config?.User ?? undefined,
    workingDir: config?.WorkingDir ?? undefined,
    entrypoint: config?.Entrypoint ?? undefined,
    cmd: config?.Cmd ?? undefined,
    env: config?.Env ?? [],
    ports: Object.keys(config?.ExposedPorts ?? {}),
    volumes: Object.keys(config?.Volumes ?? {}),
    labels: config?.Labels ?? {},
    stopSignal: config?.StopSignal ?? undefined,
  });
}

/** BuildKit: https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md */
async function readAttestation(
  { registry, repository }: ImageSource,
  child: Descriptor,
  notes: string[],
): Promise<AttestationTree> {
  const subject = child.annotations?.["vnd.docker.reference.digest"];
  try {
    const { value } = await registry.manifest(repository, child.digest);
    const layers = isIndex(value) ? [] : value.layers;
    const predicates = layers.map(
      ({ annotations, mediaType }) => annotations?.["in-toto.io/predicate-type"] ?? mediaType,
    );
    return defined({ digest: child.digest, subject, predicates });
  } catch (error) {
    notes.push(`the attestation ${child.digest} cannot be read: ${foreseenProblem(error).what}`);
    return defined({ digest: child.digest, subject, predicates: [] });
  }
}

async function readReferrers(
  { registry, repository }: ImageSource,
  digest: string,
  notes: string[],
): Promise<ReferrerTree[] | undefined> {
  try {
    const { entries } = await registry.referrers(repository, digest);
    return entries.map(({ digest: own, size, artifactType, mediaType, annotations = {} }) => ({
      digest: own,
      type: artifactType ?? mediaType,
      size,
      annotations,
    }));
  } catch (error) {
    notes.push(`its referrers cannot be read: ${foreseenProblem(error).what}`);
    return undefined;
  }
}
