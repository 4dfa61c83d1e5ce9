import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, lstatSync } from "node:fs";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { command } from "./command.js";
import { Semaphore, SingleFlight } from "./lazy.js";
import type { Views } from "./overlay.js";
import { keyOf, type Snapshot, type Store } from "./store.js";
import { layerTar } from "./tarlayer.js";

/** A layer as registries hold it. */
export interface LayerBlob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** Of the uncompressed tar. */
  readonly diffId: string;
}

const OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

/** Of 100 MB of Python level 1 makes 32.8 MB in 0.6 s, level 4 30.3 MB in 0.9 s, level 6 29.2 MB in 1.5 s. */
const GZIP_LEVEL = 4;

/** Layers between their two forms: folders of the store, and compressed blobs. */
export class Layers {
  readonly #store: Store;
  readonly #views: Views;
  readonly #flight = new SingleFlight<LayerBlob | undefined>();
  readonly #contents = new SingleFlight<LayerBlob>();
  readonly #unpacking = new SingleFlight<Snapshot>();
  readonly #limit = new Semaphore(availableParallelism());

  constructor(store: Store, views: Views) {
    this.#store = store;
    this.#views = views;
  }

  /**
   * The blob of a layer: the one it was pulled as, or the one that another layer with the same content has, or
   * compressed now.
   * @returns undefined when the layer changes nothing
   */
  blobOf(layer: string): Promise<LayerBlob | undefined> {
    return this.#flight.run(layer, async () => {
      const folder = this.#store.path("s", layer);
      if ((await readdir(folder)).length === 0) return undefined;
      const fact = `meta/layer-${layer.replace("/", "-")}.json`;
      const known = await this.#store.readJson<LayerBlob>(fact);
      if (known && this.#store.hasBlob(known.digest)) return known;
      const blob = await this.#limit.run(() => this.#compressed(folder));
      await this.#store.writeJson(fact, blob);
      return blob;
    });
  }

  async #compressed(folder: string): Promise<LayerBlob> {
    const work = await this.#store.workFolder();
    try {
      const read = await layerTar(folder, this.#store.path(work, "marks"));
      const diffId = await sha256Of(read());
      return await this.#contents.run(diffId, async () => {
        const known = await this.#store.readJson<LayerBlob>(diffFact(diffId));
        if (known && this.#store.hasBlob(known.digest)) return known;
        const file = this.#store.path(work, "layer");
        const gzip = createGzip({ level: GZIP_LEVEL, chunkSize: 1 << 18 });
        await pipeline(read(), gzip, createWriteStream(file));
        const digest = await sha256Of(createReadStream(file, { highWaterMark: 1 << 20 }));
        const { size } = await stat(file);
        await this.#store.keep(`${work}/layer`, `blobs/${digest.replace(":", "/")}`);
        const blob = { mediaType: OCI_LAYER_GZIP, digest, size, diffId };
        await this.#store.writeJson(diffFact(diffId), blob);
        return blob;
      });
    } finally {
      await this.#store.discard(work);
    }
  }

  /** Puts a pulled layer on top of a snapshot: `tarFile` is its blob, or that uncompressed. */
  async unpack(below: Snapshot, blob: LayerBlob, tarFile: string): Promise<Snapshot> {
    const key = keyOf([below.layers, blob.diffId]);
    // A layer may be known by one folder and several blobs: of each of them it is what was pulled last.
    await this.#store.writeJson(`meta/layer-${key}-fs.json`, blob);
    if (!this.#store.has(diffFact(blob.diffId))) await this.#store.writeJson(diffFact(blob.diffId), blob);
    return this.#unpack(below, key, tarFile);
  }

  /**
   * Puts an uncompressed layer that no registry has on top of a snapshot.
   * @param without a path that is left out
   */
  async unpackBuilt(below: Snapshot, diffId: string, tarFile: string, without: string): Promise<Snapshot> {
    const blob = await this.#store.readJson<LayerBlob>(diffFact(diffId));
    if (blob && this.#store.hasBlob(blob.digest)) return this.unpack(below, blob, tarFile);
    return this.#unpack(below, keyOf([below.layers, diffId, without]), tarFile, without);
  }

  #unpack(below: Snapshot, key: string, tarFile: string, without?: string): Promise<Snapshot> {
    const result = { layers: [...below.layers, `${key}/fs`] };
    return this.#unpacking.run(key, async () => {
      if (this.#store.isWhole(result)) return result;
      const work = await this.#store.workFolder();
      try {
        await this.#views.makeUpper(`${work}/step/fs`, below);
        const folder = this.#store.path(work, "step/fs");
        const xattrs = ["--xattrs", "--xattrs-include=security.capability"];
        await command(["tar", "-C", folder, "-xpf", tarFile, "--numeric-owner", ...xattrs]);
        if (without !== undefined) await rm(join(folder, without), { force: true });
        await this.#hideBelow(folder, below);
        await this.#store.keep(`${work}/step`, `s/${key}`);
        return result;
      } finally {
        await this.#store.discard(work);
      }
    });
  }

  /** Turns the specification's whiteouts into the overlay's. */
  async #hideBelow(folder: string, below: Snapshot): Promise<void> {
    const marks = (await command(["find", folder, "-name", ".wh.*", "-print0"])).split("\0").filter(Boolean);
    for (const mark of marks) {
      const parent = dirname(mark);
      const name = mark.slice(parent.length + 1);
      await rm(mark, { recursive: true });
      if (name !== ".wh..wh..opq") await hide(join(parent, name.slice(".wh.".length)));
      else {
        const hidden = await this.#views.look(below, (root) =>
          readdir(join(root, parent.slice(folder.length))).catch(() => []),
        );
        for (const entry of hidden) await hide(join(parent, entry));
      }
    }
  }
}

async function sha256Of(chunks: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

function diffFact(diffId: string): string {
  return `meta/diff-${diffId.replace(":", "-")}.json`;
}

async function hide(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  await mkdir(dirname(path), { recursive: true });
  await command(["mknod", path, "c", "0", "0"]);
}
