import { TgoError } from "@tgo/errors";
import {
  address,
  type Registry,
  isIndex,
  parseConfig,
  type Descriptor,
  type ImageConfig,
  type Manifest,
} from "@tgo/registry";
import { platformOf, type Platform } from "../platform.js";
import { readBlob } from "../read-staged-image.js";

/** moby, layer/layer_store.go, maxLayerDepth. */
const MAX_LAYERS = 125;

interface Source {
  readonly registry: Registry;
  readonly repository: string;
}

/** Which of a variant's documents were read from the inspected registry itself, and so exist there. */
export interface Fetched {
  readonly manifest: boolean;
  readonly config: boolean;
}

/** A variant by its digest, the same in every registry. */
export class CachedVariant {
  constructor(
    /** As the index says. */
    readonly platform: Platform,
    readonly child: Descriptor,
    readonly manifest: Manifest,
    readonly config: ImageConfig,
  ) {}

  get digest(): string {
    return this.child.digest;
  }

  /** What a pull transfers: config and layers, compressed, in bytes. */
  get size(): number {
    return this.manifest.layers.reduce((sum, { size }) => sum + size, this.manifest.config.size);
  }

  /** Everything a pull needs from a registry that was not read from it. */
  needs(fetched: Fetched): Descriptor[] {
    const layers = new Map(this.manifest.layers.map((layer) => [layer.digest, layer]));
    return [
      ...(fetched.manifest ? [] : [this.child]),
      ...(fetched.config ? [] : [this.manifest.config]),
      ...layers.values(),
    ];
  }
}

/** Manifests and configs by digest, each read once, from the registry that is inspected first. */
export class ImageCache {
  readonly #manifests = new Map<string, Promise<{ value: Manifest; size: number }>>();
  readonly #configs = new Map<string, Promise<ImageConfig>>();

  /** @throws TgoError as {@link Registry} does; INVALID_RESPONSE when the child is not an image */
  async variant(source: Source, child: Descriptor): Promise<{ variant: CachedVariant; fetched: Fetched }> {
    const where = address(source.registry, source.repository, child.digest);
    const manifest = await once(this.#manifests, child.digest, () =>
      readManifest(source, child.digest, where),
    );
    if (manifest.value.size !== child.size) {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the index says ${child.size} bytes, the manifest has ${manifest.value.size}`,
        { where },
      );
    }
    const { config: descriptor } = manifest.value.value;
    const config = await once(this.#configs, descriptor.digest, async () =>
      parseConfig(
        await readBlob(source.registry, source.repository, descriptor),
        address(source.registry, source.repository, descriptor.digest),
      ),
    );
    const platform = platformOf(child.platform ?? config.value);
    return {
      variant: new CachedVariant(platform, child, manifest.value.value, config.value),
      fetched: { manifest: manifest.fetched, config: config.fetched },
    };
  }
}

async function readManifest(
  { registry, repository }: Source,
  digest: string,
  where: string,
): Promise<{ value: Manifest; size: number }> {
  const { value, descriptor } = await registry.manifest(repository, digest);
  if (isIndex(value)) throw new TgoError("INVALID_RESPONSE", "the index lists another index", { where });
  const layers = value.layers.length;
  if (layers > MAX_LAYERS)
    throw new TgoError(
      "INVALID_RESPONSE",
      `the manifest lists ${layers} layers; Docker unpacks at most ${MAX_LAYERS}`,
      { where },
    );
  return { value, size: descriptor.size };
}

/** A failed read concerns its own registry only: a concurrent caller then reads from its own. */
async function once<T>(
  memory: Map<string, Promise<T>>,
  key: string,
  read: () => Promise<T>,
): Promise<{ value: T; fetched: boolean }> {
  for (let waiting = memory.get(key); waiting !== undefined; waiting = memory.get(key)) {
    const value = await waiting.then(
      (result) => ({ result }),
      () => undefined,
    );
    if (value !== undefined) return { value: value.result, fetched: false };
  }
  const reading = read();
  memory.set(key, reading);
  try {
    return { value: await reading, fetched: true };
  } catch (error) {
    if (memory.get(key) === reading) memory.delete(key);
    throw error;
  }
}
