import { randomBytes } from "node:crypto";
import { existsSync, utimesSync } from "node:fs";
import { chmod, mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TgoError } from "@tgo/errors";
import { processIdentity } from "@tgo/host";
import { digestOf } from "@tgo/registry";
import { makeFolder } from "../files/plain-modes.js";
import { runHostCommand } from "../host-command.js";
import type { Snapshot } from "./snapshot.js";

/** Entries unused for two weeks are removed. */
const UNUSED_MS = 14 * 24 * 3600 * 1000;

const FOLDERS = ["s", "blobs/sha256", "meta", "caches", "w", "empty", "empty2"];

/**
 * Everything that outlives a run, in plain files. Nothing is locked: an entry is made in a folder of this process and then
 * renamed into place, so two processes, or one that is killed, leave either a complete entry or none.
 *
 *     s/<key>/fs             a layer's files (an overlay upper directory); s/<key>/step.json: the step's other results
 *     blobs/sha256/<hex>     compressed layers, manifests and configs, as in a registry
 *     meta/<name>.json       lookups: the blob of a layer, the layer of a content
 *     caches/<key>/          cache volumes
 *     w/<process>-<random>/  work folders of running processes; those of dead ones are removed at the next start
 */
export class Store {
  readonly home: string;
  readonly #process = processIdentity(process.pid) ?? "0.0";

  private constructor(home: string) {
    this.home = home;
  }

  /** @throws TgoError ENVIRONMENT if the folder cannot be written */
  static async open(home: string): Promise<Store> {
    const store = new Store(home);
    try {
      await mkdir(home, { recursive: true });
      for (const folder of FOLDERS) await makeFolder(join(home, folder));
    } catch (cause) {
      throw new TgoError("ENVIRONMENT", "cannot write to the engine's cache folder", {
        where: home,
        remedy: "run as root, or set XDG_CACHE_HOME to a folder on a local disk",
        cause,
      });
    }
    // Images contain set-user-id programs, which no user of this machine may reach.
    await chmod(home, 0o700);
    await store.#removeLeftovers();
    await store.#removeUnused();
    return store;
  }

  path(...parts: string[]): string {
    return join(this.home, ...parts);
  }

  /** Runs a task with a work folder of this process, relative to home, on the same disk as everything else. */
  async withWorkFolder<T>(task: (folder: string) => Promise<T>): Promise<T> {
    const folder = await this.makeWorkFolder();
    try {
      return await task(folder);
    } finally {
      await this.discard(folder);
    }
  }

  /** Like withWorkFolder; the caller discards the folder. */
  async makeWorkFolder(): Promise<string> {
    const folder = this.#temporary();
    await mkdir(this.path(folder), { recursive: true });
    return folder;
  }

  async discard(folder: string): Promise<void> {
    await rm(this.path(folder), { recursive: true, force: true });
  }

  /** Moves a finished folder or file into place. If another process was first, its result stays. */
  async keep(from: string, to: string): Promise<void> {
    try {
      await rename(this.path(from), this.path(to));
    } catch (error) {
      if (!existsSync(this.path(to))) throw error;
      await this.discard(from);
    }
  }

  /** Whether all layers are there; if so, they are marked as used now. */
  isComplete({ layers }: Snapshot): boolean {
    const now = new Date();
    try {
      for (const layer of layers) utimesSync(this.path("s", dirname(layer)), now, now);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
      throw error;
    }
  }

  has(path: string): boolean {
    return existsSync(this.path(path));
  }

  async readJson<T>(path: string): Promise<T | undefined> {
    try {
      return JSON.parse(await readFile(this.path(path), "utf8")) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  writeJson(path: string, value: unknown): Promise<void> {
    return this.#write(this.path(path), JSON.stringify(value));
  }

  blobPath(digest: string): string {
    return this.path("blobs", digest.replace(":", "/"));
  }

  /** Whether the blob is there; if so, it is marked as used now. */
  hasBlob(digest: string): boolean {
    const path = this.blobPath(digest);
    if (!existsSync(path)) return false;
    utimesSync(path, new Date(), new Date());
    return true;
  }

  readBlob(digest: string): Promise<Buffer> {
    return readFile(this.blobPath(digest));
  }

  writeBlob(data: Uint8Array): Promise<void> {
    return this.#write(this.blobPath(digestOf(data)), data);
  }

  async #write(path: string, data: string | Uint8Array): Promise<void> {
    const temporary = this.path(this.#temporary());
    await writeFile(temporary, data);
    await rename(temporary, path);
  }

  #temporary(): string {
    return `w/${this.#process}-${randomBytes(6).toString("hex")}`;
  }

  /** Removes what has not been used lately. A result that lacks a layer afterwards is made again. */
  async #removeUnused(): Promise<void> {
    for (const folder of ["s", "blobs/sha256", "meta"])
      for (const name of await readdir(this.path(folder))) {
        const { mtimeMs } = await stat(this.path(folder, name)).catch(() => ({ mtimeMs: Date.now() }));
        if (Date.now() - mtimeMs <= UNUSED_MS) continue;
        // Moved away first: a removal that is killed must not leave half an entry.
        const moved = this.#temporary();
        await rename(this.path(folder, name), this.path(moved)).catch(() => undefined);
        await this.discard(moved);
      }
  }

  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.path("w"))) {
      const maker = name.split("-")[0] ?? "";
      if (processIdentity(Number.parseInt(maker, 10)) === maker) continue;
      // Snapshots are mounted there; a sandbox's own mounts end with it.
      await runHostCommand(["umount", "-l", this.path("w", name, "root")]).catch(() => undefined);
      await this.discard(`w/${name}`);
    }
  }
}
