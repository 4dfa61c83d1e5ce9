import { type Platform, mirrored } from "@tgo/catalog";
import { isIndex, parseReference, Registry, type Descriptor, type Manifest } from "@tgo/registry";
import { platformOf } from "@tgo/image";

/** A layer as stored in a registry: compressed. */
export type Layer = Pick<Descriptor, "digest" | "size">;

/** Compressed bytes, as stored in the registry. */
export interface ImageSize {
  readonly bytes: number;
  readonly layers: number;
}

export interface Stored {
  /** Bytes the native variant adds to its base. */
  readonly one: number;
  /** Bytes both variants add to their bases; shared layers count once. */
  readonly both: number;
}

export function sizeOf(layers: readonly Layer[]): ImageSize {
  return { bytes: total(layers), layers: layers.length };
}

/** Bytes a registry stores for one platform and for both, beyond the base images' layers. */
export function storedBeyond(
  base: readonly Layer[],
  native: readonly Layer[],
  foreign: readonly Layer[],
): Stored {
  const known = new Set(base.map(({ digest }) => digest));
  const own = (layers: readonly Layer[]): Layer[] => layers.filter(({ digest }) => !known.has(digest));
  return { one: total(distinct(own(native))), both: total(distinct(own([...native, ...foreign]))) };
}

function distinct(layers: readonly Layer[]): Layer[] {
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}

function total(layers: readonly Layer[]): number {
  return layers.reduce((sum, { size }) => sum + size, 0);
}

/** The layers of an image in a registry on this machine, by platform; one entry for a single-platform image. */
export async function layersOf(
  registry: string,
  repository: string,
  reference: string,
  platforms: readonly Platform[],
): Promise<Map<Platform, readonly Layer[]>> {
  const client = new Registry({ host: registry });
  const { value } = await client.manifest(repository, reference);
  const [only] = platforms;
  if (!isIndex(value)) return new Map(only === undefined ? [] : [[only, value.layers]]);
  const found = new Map<Platform, readonly Layer[]>();
  for (const platform of platforms) {
    const entry = value.manifests.find((each) => each.platform && platformOf(each.platform) === platform);
    if (entry === undefined) continue;
    const manifest = await client.manifest(repository, entry.digest);
    found.set(platform, (manifest.value as Manifest).layers);
  }
  return found;
}

/** The layers of a base image for all these platforms. */
export async function baseLayers(
  base: string,
  mirrors: Readonly<Record<string, string>>,
  platforms: readonly Platform[],
): Promise<Layer[]> {
  const { host, repository, tag, digest } = parseReference(mirrored(base, mirrors));
  const layers = await layersOf(host, repository, digest ?? tag ?? "latest", platforms);
  return [...layers.values()].flat();
}
