import { lstatSync } from "node:fs";
import { chmod, chown, mkdir, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { runHostCommand } from "../host-command.js";
import { SingleFlight } from "../single-flight.js";
import { keyOf } from "./keys.js";
import { overlayOptions, type OverlayChanges } from "./overlay-options.js";
import type { Snapshot } from "./snapshot.js";
import type { Store } from "./store.js";

/** Edits the mounted `root`; a task given to `afterUnmount` edits the new layer itself, once the root is unmounted. */
export type Change = (root: string, afterUnmount: (task: (upper: string) => void) => void) => Promise<void>;

/** The store's file systems: mounts them while they are used, and adds layers to them. */
export class Snapshots {
  readonly #mounted = new Map<string, { root: Promise<string>; users: number }>();
  readonly #making = new SingleFlight<Snapshot>();

  constructor(private readonly store: Store) {}

  /** Mounts a snapshot read-only while `use` runs with its root. */
  async mount<T>(snapshot: Snapshot, use: (root: string) => Promise<T> | T): Promise<T> {
    const [only] = snapshot.layers;
    if (only === undefined) return use(this.store.path("empty"));
    await this.store.checkLayers(snapshot.layers);
    if (snapshot.layers.length === 1) return use(this.store.path("s", only));
    const key = keyOf(snapshot.layers);
    const mounted = this.#mounted.get(key) ?? { root: this.#mountReadOnly(snapshot), users: 0 };
    this.#mounted.set(key, mounted);
    mounted.users++;
    try {
      return await use(await mounted.root);
    } finally {
      if (--mounted.users === 0) {
        this.#mounted.delete(key);
        await mounted.root.then(
          async (root) => {
            await runHostCommand(["umount", "-l", root]);
            await this.store.discard(relative(this.store.home, dirname(root)));
          },
          () => undefined,
        );
      }
    }
  }

  /**
   * The snapshot after `change` has edited its files, from the store if the same change of the same snapshot was made
   * before. `what` must include everything the change depends on.
   */
  step(snapshot: Snapshot, what: unknown, change: Change): Promise<Snapshot> {
    return this.addLayer(snapshot, keyOf([snapshot.layers, what]), async (upper, work) => {
      const tasks: ((upper: string) => void)[] = [];
      const edit = (root: string): Promise<void> => change(root, (task) => tasks.push(task));
      if (snapshot.layers.length === 0) await edit(upper);
      else await this.#edit(snapshot, work, edit);
      for (const task of tasks) task(upper);
    });
  }

  /** The snapshot with a layer on top, which `fill` writes into `upper` unless the store has it. */
  addLayer(
    below: Snapshot,
    key: string,
    fill: (upper: string, work: string) => Promise<void>,
  ): Promise<Snapshot> {
    const result: Snapshot = { layers: [...below.layers, `${key}/fs`] };
    return this.#making.run(key, async () => {
      if (this.store.isComplete(result)) return result;
      // Without its files, the entry is damaged.
      if (this.store.has(`s/${key}`) && this.store.isComplete(below) && !this.store.isComplete(result))
        await this.store.remove(`s/${key}`);
      return this.store.withWorkFolder(async (work) => {
        await this.makeUpper(`${work}/step/fs`, below);
        await fill(this.store.path(work, "step/fs"), work);
        await this.store.seal(`${work}/step`);
        await this.store.keep(`${work}/step`, `s/${key}`);
        return result;
      });
    });
  }

  /** A directory's paths in the store, in each layer that has it; the lowest layer first. */
  layersWith(snapshot: Snapshot, path: string): string[] {
    return snapshot.layers
      .map((layer) => join(this.store.path("s", layer), path))
      .filter((candidate) => lstatSync(candidate, { throwIfNoEntry: false })?.isDirectory());
  }

  /** Makes an upper folder. The mounted root shows its owner and mode, so they are copied from the layer below. */
  async makeUpper(folder: string, snapshot: Snapshot): Promise<void> {
    const path = this.store.path(folder);
    await mkdir(path, { recursive: true });
    const top = snapshot.layers.at(-1);
    const like = top === undefined ? { mode: 0o755, uid: 0, gid: 0 } : await stat(this.store.path("s", top));
    await chown(path, like.uid, like.gid);
    await chmod(path, like.mode & 0o7777);
  }

  async #edit(snapshot: Snapshot, work: string, change: (root: string) => Promise<void>): Promise<void> {
    await this.store.checkLayers(snapshot.layers);
    await mkdir(this.store.path(work, "work"));
    const root = await this.#mountAt(work, snapshot, { upper: `${work}/step/fs`, work: `${work}/work` });
    try {
      await change(root);
    } finally {
      await runHostCommand(["umount", root]).catch(() => runHostCommand(["umount", "-l", root]));
    }
  }

  async #mountReadOnly(snapshot: Snapshot): Promise<string> {
    return this.#mountAt(await this.store.makeWorkFolder(), snapshot);
  }

  async #mountAt(work: string, snapshot: Snapshot, changes?: OverlayChanges): Promise<string> {
    const root = this.store.path(work, "root");
    await mkdir(root);
    const options = overlayOptions(snapshot, changes);
    await runHostCommand(["mount", "-t", "overlay", "overlay", "-o", options, root], {
      cwd: this.store.home,
    });
    return root;
  }
}
