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
import type { Platform } from "../platform.js";
import { readBlob } from "../read-staged-image.js";

/** moby, layer/layer_store.go, maxLayerDepth. */
const MAX_LAYERS = 125;

interface Source {
  readonly registry: Registry;
  readonly repository: string;
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
}

/** A document that an image consists of. */
interface Document<T> {
  readonly value: T;
  /** It was read from the inspected registry itself, and so exists there. */
  readonly fetched: boolean;
}

interface Reading<T> {
  /** Another registry is read, or was. */
  readonly shared: boolean;
  readonly document: Promise<Document<T>>;
}

/** Documents of one kind by digest, each read once. */
class Documents<T> {
  readonly #reading = new Map<string, Promise<T>>();

  get(digest: string, read: () => Promise<T>): Reading<T> {
    return { shared: this.#reading.has(digest), document: this.#read(digest, read) };
  }

  /** A failed read concerns its own registry only: a concurrent caller then reads from its own. */
  async #read(digest: string, read: () => Promise<T>): Promise<Document<T>> {
    for (
      let waiting = this.#reading.get(digest);
      waiting !== undefined;
      waiting = this.#reading.get(digest)
    ) {
      const value = await waiting.then(
        (result) => ({ result }),
        () => undefined,
      );
      if (value !== undefined) return { value: value.result, fetched: false };
    }
    const reading = read();
    this.#reading.set(digest, reading);
    try {
      return { value: await reading, fetched: true };
    } catch (error) {
      if (this.#reading.get(digest) === reading) this.#reading.delete(digest);
      throw error;
    }
  }
}

/** Manifests and configs by digest, each read once, from the registry that is inspected first. */
export class ImageCache {
  readonly #manifests = new Documents<{ value: Manifest; size: number }>();
  readonly #configs = new Documents<ImageConfig>();

  /**
   * The manifest of a child of an index.
   * @throws TgoError as {@link Registry} does; INVALID_RESPONSE when the child is not an image
   */
  async manifest(source: Source, child: Descriptor): Promise<Document<Manifest>> {
    const where = address(source.registry, source.repository, child.digest);
    const { value, fetched } = await this.#manifests.get(child.digest, () =>
      readManifest(source, child.digest, where),
    ).document;
    if (value.size !== child.size) {
      throw new TgoError(
        "INVALID_RESPONSE",
        `the index says ${child.size} bytes, the manifest has ${value.size}`,
        { where },
      );
    }
    return { value: value.value, fetched };
  }

  /** The config of a manifest. Its promise fails as {@link Registry} does. */
  config(source: Source, { config: descriptor }: Manifest): Reading<ImageConfig> {
    const { registry, repository } = source;
    return this.#configs.get(descriptor.digest, async () =>
      parseConfig(
        await readBlob(registry, repository, descriptor),
        address(registry, repository, descriptor.digest),
      ),
    );
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
