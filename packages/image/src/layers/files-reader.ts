import { concurrencyLimit, type Descriptor, type Repository } from "@tgo/registry";
import type { TreeBudget } from "./layer-tree.js";
import {
  filesBudget,
  mergeFiles,
  readLayerFiles,
  type FileSelection,
  type ImageFile,
  type LayerFiles,
} from "./read-files.js";
import { LAYERS_AT_ONCE } from "./read-layer.js";

/** Reads the files of images; each layer once, whatever images and platforms have it. */
export class FilesReader {
  readonly #layers = new Map<string, Promise<LayerFiles>>();
  readonly #budget: TreeBudget = filesBudget();
  readonly #limit = concurrencyLimit(LAYERS_AT_ONCE);

  constructor(private readonly selection: FileSelection = {}) {}

  /**
   * @param layers the lowest first
   * @returns by path from the root
   * @throws TgoError as scanLayers does
   */
  async read(source: Repository, layers: readonly Descriptor[]): Promise<ReadonlyMap<string, ImageFile>> {
    return mergeFiles(await Promise.all(layers.map((layer) => this.#layer(source, layer))));
  }

  #layer({ registry, repository }: Repository, layer: Descriptor): Promise<LayerFiles> {
    const { mediaType, digest, size } = layer;
    const open = (): Promise<ReadableStream<Uint8Array>> => registry.blob(repository, { digest, size });
    const reading =
      this.#layers.get(digest) ??
      this.#limit(() => readLayerFiles({ mediaType, open }, this.#budget, this.selection));
    this.#layers.set(digest, reading);
    return reading;
  }
}
