import { lstatSync } from "node:fs";
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { TgoError } from "@tgo/errors";
import { command } from "./command.js";
import { SingleFlight } from "./lazy.js";
import { keyOf, type Snapshot, type Store } from "./store.js";

/**
 * Options of an overlay mount, relative to the store's home: the kernel takes one page of text, and a colon or a
 * comma in the home's path would end a name.
 * `stub`, the lowest layer, holds mount points; nothing of it gets into a layer.
 */
export function overlayOptions(
  snapshot: Snapshot,
  { stub = "empty", upper, work }: { stub?: string; upper?: string; work?: string } = {},
): string {
  const lower = [...snapshot.layers.map((layer) => `s/${layer}`).reverse(), stub];
  // An overlay without an upper layer wants two lower ones.
  if (lower.length === 1 && upper === undefined) lower.unshift("empty2");
  const options = [`lowerdir=${lower.join(":")}`, "redirect_dir=off", "metacopy=off", "index=off"];
  // volatile: an unmount does not wait for the disk; a layer half written at a power cut is worth less than that.
  if (upper !== undefined && work !== undefined)
    options.push(`upperdir=${upper}`, `workdir=${work}`, "volatile");
  const text = options.join(",");
  if (text.length > PAGE)
    throw new TgoError("BUILD", `the container has ${snapshot.layers.length} layers: too many to mount`, {
      remedy: "do more in one step: withDirectory instead of many withFile",
    });
  return text;
}

/** The kernel's limit on the text of a mount, in bytes, with some room. Enough for 127 layers, as many as Docker has. */
const PAGE = 4000;

/** Edits the mounted `root`; what is given to `later` is done to the layer itself, after that was unmounted. */
export type Change = (root: string, later: (task: (upper: string) => void) => void) => Promise<void>;

/** File systems of the store, mounted while somebody looks at them. */
export class Views {
  readonly #open = new Map<string, { root: Promise<string>; users: number }>();
  readonly #making = new SingleFlight<Snapshot>();

  constructor(private readonly store: Store) {}

  /** Shows a snapshot, read-only, at the path given to `look`. */
  async look<T>(snapshot: Snapshot, look: (root: string) => Promise<T> | T): Promise<T> {
    const [only] = snapshot.layers;
    if (only === undefined) return look(this.store.path("empty"));
    if (snapshot.layers.length === 1) return look(this.store.path("s", only));
    const key = keyOf(snapshot.layers);
    const view = this.#open.get(key) ?? { root: this.#show(snapshot), users: 0 };
    this.#open.set(key, view);
    view.users++;
    try {
      return await look(await view.root);
    } finally {
      if (--view.users === 0) {
        this.#open.delete(key);
        await view.root.then(
          async (root) => {
            await command(["umount", "-l", root]);
            await this.store.discard(relative(this.store.home, dirname(root)));
          },
          () => undefined,
        );
      }
    }
  }

  /**
   * The snapshot after `change` has edited the files at its root: from the store when the same change of the same
   * snapshot was made before. `what` must say all that the change depends on.
   */
  step(snapshot: Snapshot, what: unknown, change: Change): Promise<Snapshot> {
    return this.layer(snapshot, keyOf([snapshot.layers, what]), async (upper, work) => {
      const later: ((upper: string) => void)[] = [];
      const edit = (root: string): Promise<void> => change(root, (task) => later.push(task));
      if (snapshot.layers.length === 0) await edit(upper);
      else await this.#edit(snapshot, work, edit);
      for (const task of later) task(upper);
    });
  }

  /** The snapshot with a layer on top whose files `fill` puts into `upper`: made once, then from the store. */
  layer(
    below: Snapshot,
    key: string,
    fill: (upper: string, work: string) => Promise<void>,
  ): Promise<Snapshot> {
    const result: Snapshot = { layers: [...below.layers, `${key}/fs`] };
    return this.#making.run(key, async () => {
      if (this.store.isWhole(result)) return result;
      return this.store.inWork(async (work) => {
        await this.makeUpper(`${work}/step/fs`, below);
        await fill(this.store.path(work, "step/fs"), work);
        await this.store.keep(`${work}/step`, `s/${key}`);
        return result;
      });
    });
  }

  /** The path in the store of a directory, when all that the snapshot shows there comes from one layer. */
  soleLayer(snapshot: Snapshot, path: string): string | undefined {
    const holders = snapshot.layers
      .map((layer) => join(this.store.path("s", layer), path))
      .filter((there) => lstatSync(there, { throwIfNoEntry: false }));
    return holders.length === 1 ? holders[0] : undefined;
  }

  /** An upper folder: its own owner and mode are what the mounted root shows, so they follow the layer below. */
  async makeUpper(folder: string, snapshot: Snapshot): Promise<void> {
    const path = this.store.path(folder);
    await mkdir(path, { recursive: true });
    const top = snapshot.layers.at(-1);
    const like = top === undefined ? { mode: 0o755, uid: 0, gid: 0 } : await stat(this.store.path("s", top));
    await chown(path, like.uid, like.gid);
    await chmod(path, like.mode & 0o7777);
  }

  async #edit(snapshot: Snapshot, work: string, change: (root: string) => Promise<void>): Promise<void> {
    await mkdir(this.store.path(work, "work"));
    const root = await this.#mount(snapshot, work, { upper: `${work}/step/fs`, work: `${work}/work` });
    try {
      await change(root);
    } finally {
      await command(["umount", root]).catch(() => command(["umount", "-l", root]));
    }
  }

  async #show(snapshot: Snapshot): Promise<string> {
    return this.#mount(snapshot, await this.store.workFolder());
  }

  async #mount(snapshot: Snapshot, work: string, changes?: { upper: string; work: string }): Promise<string> {
    const root = this.store.path(work, "root");
    await mkdir(root);
    const options = overlayOptions(snapshot, changes);
    await command(["mount", "-t", "overlay", "overlay", "-o", options, root], { cwd: this.store.home });
    return root;
  }
}
