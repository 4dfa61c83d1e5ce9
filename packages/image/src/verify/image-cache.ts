import { TgoError } from "@tgo/errors";
import { platformOf, type Platform } from "../platform.js";
import {
  address,
  type Registry,
  isIndex,
  parseConfig,
  type Descriptor,
  type ImageConfig,
  type Manifest,
} from "@tgo/registry";
import { readBlob } from "../staging.js";

interface Place {
  readonly registry: Registry;
  readonly repository: string;
}

/** Which of a variant's documents were read from the asking registry itself, and so are there. */
export interface Fetched {
  readonly manifest: boolean;
  readonly config: boolean;
}

/** What a variant's digest stands for, wherever it lies. */
export class CachedVariant {
  constructor(
    /** By the index. */
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

  /** All that a pull asks a registry for and that was not read from it. */
  needs(fetched: Fetched): Descriptor[] {
    const layers = new Map(
      this.manifest.layers.filter(({ urls }) => urls === undefined).map((layer) => [layer.digest, layer]),
    );
    return [
      ...(fetched.manifest ? [] : [this.child]),
      ...(fetched.config ? [] : [this.manifest.config]),
      ...layers.values(),
    ];
  }
}

/** Manifests and configs by digest, each read once, from whichever registry asks first. */
export class ImageCache {
  readonly #manifests = new Map<string, Promise<{ value: Manifest; size: number }>>();
  readonly #configs = new Map<string, Promise<ImageConfig>>();

  /** @throws TgoError as {@link Registry} does; INVALID_RESPONSE when the child is no image. */
  async variant(place: Place, child: Descriptor): Promise<{ variant: CachedVariant; fetched: Fetched }> {
    const where = address(place.registry, place.repository, child.digest);
    const manifest = await once(this.#manifests, child.digest, () =>
      readManifest(place, child.digest, where),
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
        await readBlob(place.registry, place.repository, descriptor),
        address(place.registry, place.repository, descriptor.digest),
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
  { registry, repository }: Place,
  digest: string,
  where: string,
): Promise<{ value: Manifest; size: number }> {
  const { value, descriptor } = await registry.manifest(repository, digest);
  if (isIndex(value)) throw new TgoError("INVALID_RESPONSE", "the index lists another index", { where });
  return { value, size: descriptor.size };
}

/** A failure is the asking registry's own: whoever waited for it asks its own registry instead. */
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
