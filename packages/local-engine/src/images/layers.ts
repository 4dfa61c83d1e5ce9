import { createHash } from "node:crypto";
import { createWriteStream, lstatSync, readdirSync } from "node:fs";
import { readdir, rm, stat, utimes } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import pLimit from "p-limit";
import { FIXED_TIME } from "../files/make-directories.js";
import { makeFolder } from "../files/plain-modes.js";
import { runHostCommand } from "../host-command.js";
import { SingleFlight } from "../single-flight.js";
import { keyOf } from "../store/keys.js";
import type { Snapshot } from "../store/snapshot.js";
import type { Snapshots } from "../store/snapshots.js";
import type { Store } from "../store/store.js";
import { extractTar } from "./extract-tar.js";
import { GZIP_FORMAT, gzip } from "./gzip.js";
import { layerTar } from "./tar-layer.js";

/** A layer as in a registry. */
export interface LayerBlob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  /** Digest of the uncompressed tar. */
  readonly diffId: string;
}

const OCI_LAYER_GZIP = "application/vnd.oci.image.layer.v1.tar+gzip";

/** Converts layers between their two forms: folders of the store, and compressed blobs. */
export class Layers {
  readonly #blobs = new SingleFlight<LayerBlob | undefined>();
  readonly #contents = new SingleFlight<LayerBlob>();
  readonly #limit = pLimit(availableParallelism());

  constructor(
    private readonly store: Store,
    private readonly snapshots: Snapshots,
  ) {}

  /**
   * The blob of a layer: the one it was pulled as, the one of another layer with the same content, or one compressed now.
   * @returns undefined if the layer is empty
   */
  blobOf(layer: string): Promise<LayerBlob | undefined> {
    return this.#blobs.run(layer, async () => {
      const folder = this.store.path("s", layer);
      await this.store.checkLayers([layer]);
      if ((await readdir(folder)).length === 0) return undefined;
      const entry = layerEntry(layer);
      const known = await this.store.readJson<LayerBlob>(entry);
      if (known && (await this.store.hasBlob(known.digest))) return known;
      const blob = await this.#limit(() => this.#compress(folder));
      await this.store.writeJson(entry, blob);
      return blob;
    });
  }

  #compress(folder: string): Promise<LayerBlob> {
    return this.store.withWorkFolder(async (work) => {
      const read = await layerTar(folder, this.store.path(work, "marks"));
      const diffId = await sha256Of(read());
      return this.#contents.run(diffId, async () => {
        const known = await this.store.readJson<LayerBlob>(diffEntry(diffId));
        if (known && (await this.store.hasBlob(known.digest))) return known;
        const file = this.store.path(work, "layer");
        const { digest, size } = await writeGzip(read(), file);
        await this.store.keepBlob(`${work}/layer`, digest);
        const blob = { mediaType: OCI_LAYER_GZIP, digest, size, diffId };
        await this.store.writeJson(diffEntry(diffId), blob);
        return blob;
      });
    });
  }

  /** Adds a pulled layer to a snapshot. `tarFile` is its blob, compressed or not. */
  async unpack(below: Snapshot, blob: LayerBlob, tarFile: string): Promise<Snapshot> {
    const key = layerKey(below, blob);
    // Several blobs may unpack to the same folder: the one pulled last counts.
    await this.store.writeJson(layerEntry(`${key}/fs`), blob);
    await this.remember(blob);
    return this.#unpack(below, key, tarFile);
  }

  /** Layers with the same tar become this blob, unless they have one. */
  async remember(blob: LayerBlob): Promise<void> {
    const known = await this.store.readJson<LayerBlob>(diffEntry(blob.diffId));
    if (known === undefined || !(await this.store.hasBlob(known.digest)))
      await this.store.writeJson(diffEntry(blob.diffId), blob);
  }

  #unpack(below: Snapshot, key: string, tarFile: string): Promise<Snapshot> {
    return this.snapshots.addLayer(below, key, async (folder) => {
      // A second early: the clock of file times is a coarse one.
      const started = Math.floor(Date.now() / 1000) - 1;
      await extractTar(tarFile, folder);
      await setImpliedTimes(folder, started);
      await this.#convertWhiteouts(folder, below);
    });
  }

  /** Converts the OCI specification's whiteouts into the overlay's. */
  async #convertWhiteouts(folder: string, below: Snapshot): Promise<void> {
    const marks = (await runHostCommand(["find", folder, "-name", ".wh.*", "-print0"]))
      .split("\0")
      .filter(Boolean);
    for (const mark of marks) {
      const parent = dirname(mark);
      const name = basename(mark).slice(".wh.".length);
      const { atime, mtime } = await stat(parent);
      await rm(mark, { recursive: true });
      const entries = (root: string): string[] => entriesOf(join(root, parent.slice(folder.length)));
      const names = name === ".wh..opq" ? await this.snapshots.mount(below, entries) : [name];
      for (const entry of names) await hide(join(parent, entry));
      // The image's own times, which layers above inherit.
      await utimes(parent, atime, mtime);
    }
  }
}

/** Gives the fixed time to directories that the archive only implies, by what is in them. @param started seconds since 1970 */
async function setImpliedTimes(folder: string, started: number): Promise<void> {
  const implied = ["-mindepth", "1", "-type", "d", "-newermt", `@${started}`];
  const found = await runHostCommand(["find", folder, ...implied, "-print0"]);
  for (const path of found.split("\0").filter(Boolean)) await utimes(path, FIXED_TIME, FIXED_TIME);
}

/** The snapshot of these layers, whether or not they have been unpacked. */
export function snapshotOf(blobs: readonly Pick<LayerBlob, "diffId">[]): Snapshot {
  return blobs.reduce<Snapshot>(
    (below, blob) => ({ layers: [...below.layers, `${layerKey(below, blob)}/fs`] }),
    { layers: [] },
  );
}

function layerKey(below: Snapshot, { diffId }: Pick<LayerBlob, "diffId">): string {
  return keyOf([below.layers, diffId]);
}

/** None if only the layer with the opaque whiteout has the folder, or a file is in its place. */
function entriesOf(folder: string): string[] {
  return lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true ? readdirSync(folder) : [];
}

/** @returns digest and size of the compressed file */
async function writeGzip(
  content: AsyncIterable<Buffer>,
  file: string,
): Promise<{ digest: string; size: number }> {
  const hash = createHash("sha256");
  let size = 0;
  async function* measured(): AsyncGenerator<Buffer> {
    for await (const part of gzip(content)) {
      hash.update(part);
      size += part.length;
      yield part;
    }
  }
  await pipeline(measured, createWriteStream(file));
  return { digest: `sha256:${hash.digest("hex")}`, size };
}

async function sha256Of(chunks: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of chunks) hash.update(chunk as Buffer);
  return `sha256:${hash.digest("hex")}`;
}

function layerEntry(layer: string): string {
  return `meta/layer-${layer.replace("/", "-")}-${GZIP_FORMAT}.json`;
}

function diffEntry(diffId: string): string {
  return `meta/diff-${diffId.replace(":", "-")}-${GZIP_FORMAT}.json`;
}

async function hide(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })) return;
  await makeFolder(dirname(path));
  await runHostCommand(["mknod", path, "c", "0", "0"]);
}
