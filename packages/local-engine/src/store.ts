import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync, utimesSync } from "node:fs";
import { chmod, mkdir, readFile, readdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TgoError } from "@tgo/errors";
import { command } from "./command.js";

/**
 * A file system: layers, the lowest first. A layer is named by its folder under `s/`. The name of the last
 * one is the digest of everything that led to it, so `key` names the whole content.
 */
export interface Snapshot {
  readonly layers: readonly string[];
}

export const EMPTY: Snapshot = { layers: [] };

/** 132 bits: short, because a mount names every layer in one page of text. */
export function keyOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("base64url").slice(0, 22);
}

export function sha256(data: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

const UNUSED_MS = 14 * 24 * 3600 * 1000;

const FOLDERS = ["s", "blobs/sha256", "meta", "caches", "w", "empty", "empty2", "dev/pts", "dev/shm"];

/** What a container's /dev has besides devices. */
const DEVICE_LINKS = {
  ptmx: "pts/ptmx",
  fd: "/proc/self/fd",
  stdin: "fd/0",
  stdout: "fd/1",
  stderr: "fd/2",
} as const;

/**
 * What outlives a run, in plain files. Nothing is locked: an entry is made in a folder of this process and
 * renamed into place whole, so two processes, or one that is killed, leave either an entry or none.
 *
 *     s/<key>/fs          a layer's files (an overlay upper directory), s/<key>/step.json what else the step gave
 *     blobs/sha256/<hex>  compressed layers, manifests and configs, as registries have them
 *     meta/<name>.json    small facts: the blob of a layer, the layer of a content
 *     caches/<key>/       cache volumes
 *     w/<process>-<random>/  work of running processes; of dead ones: removed at the next start
 */
export class Store {
  readonly home: string;
  readonly #me = identity(process.pid) ?? "0.0";

  private constructor(home: string) {
    this.home = home;
  }

  /** @throws TgoError ENVIRONMENT when the folder cannot be written */
  static async open(home: string): Promise<Store> {
    const store = new Store(home);
    try {
      for (const folder of FOLDERS) await mkdir(join(home, folder), { recursive: true });
    } catch (cause) {
      throw new TgoError("ENVIRONMENT", "the engine's cache folder cannot be written", {
        where: home,
        remedy: "run as root, or set XDG_CACHE_HOME to a folder on a local disk",
        cause,
      });
    }
    // Images have programs with set-user-id bits, which no user of this machine should reach.
    await chmod(home, 0o700);
    for (const [name, target] of Object.entries(DEVICE_LINKS))
      await symlink(target, store.path("dev", name)).catch(() => undefined);
    await store.#removeLeftovers();
    await store.#removeUnused();
    return store;
  }

  path(...parts: string[]): string {
    return join(this.home, ...parts);
  }

  /** Gives a task a folder of this process, relative to home, on the same disk as everything else. */
  async inWork<T>(task: (folder: string) => Promise<T>): Promise<T> {
    const folder = await this.workFolder();
    try {
      return await task(folder);
    } finally {
      await this.discard(folder);
    }
  }

  /** As in inWork; for the caller to discard. */
  async workFolder(): Promise<string> {
    const folder = this.#temporary();
    await mkdir(this.path(folder), { recursive: true });
    return folder;
  }

  async discard(folder: string): Promise<void> {
    await rm(this.path(folder), { recursive: true, force: true });
  }

  /** Moves a finished folder or file to its place. When another process was first, its result stays. */
  async keep(from: string, to: string): Promise<void> {
    try {
      await rename(this.path(from), this.path(to));
    } catch (error) {
      if (!existsSync(this.path(to))) throw error;
      await this.discard(from);
    }
  }

  /** Whether a result with these layers can be used; if so, all of it counts as used now. */
  isWhole({ layers }: Snapshot): boolean {
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

  /** Whether the blob is there; if so, it counts as used now. */
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
    return this.#write(this.blobPath(sha256(data)), data);
  }

  async #write(path: string, data: string | Uint8Array): Promise<void> {
    const temporary = this.path(this.#temporary());
    await writeFile(temporary, data);
    await rename(temporary, path);
  }

  #temporary(): string {
    return `w/${this.#me}-${randomBytes(6).toString("hex")}`;
  }

  /** What no run has used for two weeks. A result that misses a layer afterwards is made again. */
  async #removeUnused(): Promise<void> {
    for (const folder of ["s", "blobs/sha256", "meta"])
      for (const name of await readdir(this.path(folder))) {
        const { mtimeMs } = await stat(this.path(folder, name)).catch(() => ({ mtimeMs: Date.now() }));
        if (Date.now() - mtimeMs <= UNUSED_MS) continue;
        // Out of the way first: a removal that is killed must not leave half an entry.
        const away = this.#temporary();
        await rename(this.path(folder, name), this.path(away)).catch(() => undefined);
        await this.discard(away);
      }
  }

  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.path("w"))) {
      const owner = name.split("-")[0] ?? "";
      if (identity(Number.parseInt(owner, 10)) === owner) continue;
      // Views are mounted there; a sandbox's own mounts are gone with it.
      await command(["umount", "-l", this.path("w", name, "root")]).catch(() => undefined);
      await this.discard(`w/${name}`);
    }
  }
}

/** A process by its id and its start: an id alone is given again. Undefined: there is no such process. */
function identity(pid: number): string | undefined {
  try {
    // proc(5): the name, in parentheses, may hold anything; the start is the 20th field after it.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return `${pid}.${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0"}`;
  } catch {
    return undefined;
  }
}
