import { createHash, randomBytes } from "node:crypto";
import { createReadStream, existsSync, statSync, utimesSync } from "node:fs";
import { chmod, mkdir, open, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isDiskFull, TgoError } from "@tgo/errors";
import { processIdentity } from "@tgo/host";
import { digestOf } from "@tgo/registry";
import { damaged, diskFull } from "../errors.js";
import { makeFolder } from "../files/plain-modes.js";
import { runHostCommand } from "../host-command.js";
import { textDigest } from "./keys.js";
import type { Snapshot } from "./snapshot.js";

/** Entries unused for two weeks are removed. */
const UNUSED_MS = 14 * 24 * 3600 * 1000;

/** Linux writes files to the disk after half a minute; some more for a busy one. */
const UNWRITTEN_MS = 3 * 60_000;

/** Of an entry of `s`. */
const FILES = "files.json";

const FOLDERS = ["s", "blobs/sha256", "meta", "caches", "w", "empty", "empty2"];

/**
 * Everything that outlives a run, in plain files. Nothing is locked: an entry is made in a folder of this process and then
 * renamed into place, so two processes, or one that is killed, leave either a complete entry or none. Files are written to the
 * disk before they are renamed, and carry or are named by their digest: one that is damaged all the same is a missing one.
 * Of a layer, only the number and the size of its files are known: a layer with others is removed.
 *
 *     s/<key>/fs             a layer's files (an overlay upper directory); s/<key>/step.json: the step's other results;
 *                            s/<key>/files.json: how many files its layers have, and how large they are
 *     blobs/sha256/<hex>     compressed layers, manifests and configs, as in a registry
 *     meta/<name>.json       lookups: the blob of a layer, the layer of a content
 *     caches/<key>/          cache volumes
 *     boot.json              the machine's boot, to notice that it stopped
 *     w/<process>-<random>/  work folders of running processes; those of dead ones are removed at the next start
 */
export class Store {
  readonly home: string;
  /** Blobs whose bytes this process has checked. */
  readonly #intact = new Set<string>();
  /** Entries whose files this process has counted. */
  readonly #counted = new Map<string, Promise<void>>();
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
      // Images contain set-user-id programs, which no user of this machine may reach.
      await chmod(home, 0o700);
    } catch (cause) {
      if (isDiskFull(cause)) throw diskFull(cause, home);
      throw new TgoError("ENVIRONMENT", "cannot write to the engine's cache folder", {
        where: home,
        remedy: "run as root, or set XDG_CACHE_HOME to a folder on a local disk",
        cause,
      });
    }
    await store.#removeUnwritten();
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

  /** Removes an entry that is damaged: it is moved away first, so that no half of it is found. */
  async remove(path: string): Promise<void> {
    const moved = this.#temporary();
    await rename(this.path(path), this.path(moved)).catch(() => undefined);
    await this.discard(moved);
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
    for (const layer of layers) {
      if (statSync(this.path("s", layer), { throwIfNoEntry: false })?.isDirectory() !== true) return false;
      utimesSync(this.path("s", dirname(layer)), now, now);
    }
    return true;
  }

  /** Records what files an entry has, before it is moved into place. @param folder relative to home */
  async seal(folder: string): Promise<void> {
    const json = await this.#countFiles(folder);
    await writeFile(this.path(folder, FILES), withDigest(json));
  }

  /**
   * Checks that layers have the files that they were made with, once per process. A damaged one is removed, so that the next
   * run makes it again: what this run has made of it cannot be taken back.
   * @throws TgoError ENVIRONMENT
   */
  async checkLayers(layers: readonly string[]): Promise<void> {
    for (const key of new Set(layers.map((layer) => dirname(layer)))) {
      const checked = this.#counted.get(key) ?? this.#checkEntry(`s/${key}`);
      this.#counted.set(key, checked);
      await checked;
    }
  }

  async #checkEntry(folder: string): Promise<void> {
    if (!this.has(folder)) return;
    const known = await this.readJson(`${folder}/${FILES}`);
    if (known === undefined) {
      await this.seal(folder);
      return;
    }
    if (JSON.stringify(known) === (await this.#countFiles(folder))) return;
    await this.remove(folder);
    throw damaged(new Error("a layer has lost files, or parts of them"), this.home);
  }

  async #countFiles(folder: string): Promise<string> {
    const sizes = await runHostCommand([
      ...["find", this.path(folder), "-mindepth", "2", "-type", "f", "-printf", String.raw`%s\n`],
    ]);
    const all = sizes.split("\n").filter(Boolean).map(Number);
    return JSON.stringify({ files: all.length, bytes: all.reduce((sum, size) => sum + size, 0) });
  }

  has(path: string): boolean {
    return existsSync(this.path(path));
  }

  /** @returns undefined also for a file that is damaged */
  async readJson<T>(path: string): Promise<T | undefined> {
    const text = await readFile(this.path(path), "utf8").catch(() => "");
    const end = text.indexOf("\n");
    const json = text.slice(end + 1);
    return end > 0 && text.slice(0, end) === textDigest(json) ? (JSON.parse(json) as T) : undefined;
  }

  /** The file's first line is the digest of the others. */
  writeJson(path: string, value: unknown): Promise<void> {
    const json = JSON.stringify(value);
    return this.#write(this.path(path), withDigest(json));
  }

  blobPath(digest: string): string {
    return this.path("blobs", digest.replace(":", "/"));
  }

  /** Whether the blob is there, marked as used now. Its bytes are checked once per process; damaged ones are removed. */
  async hasBlob(digest: string): Promise<boolean> {
    const path = this.blobPath(digest);
    if (!existsSync(path)) return false;
    if (!this.#intact.has(digest)) {
      const hash = createHash("sha256");
      try {
        for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
          hash.update(chunk as Buffer);
      } catch {
        // A disk that cannot read it, or a folder in its place.
      }
      if (`sha256:${hash.digest("hex")}` !== digest) {
        await this.remove(relative(this.home, path));
        return false;
      }
      this.#intact.add(digest);
    }
    utimesSync(path, new Date(), new Date());
    return true;
  }

  /** Only after {@link hasBlob}. */
  readBlob(digest: string): Promise<Buffer> {
    return readFile(this.blobPath(digest));
  }

  async writeBlob(data: Uint8Array): Promise<void> {
    const digest = digestOf(data);
    await this.#write(this.blobPath(digest), data);
    this.#intact.add(digest);
  }

  /** Moves a file with this digest, which the caller has checked, to the blobs. @param from relative to home */
  async keepBlob(from: string, digest: string): Promise<void> {
    const file = await open(this.path(from));
    await file.sync().finally(() => file.close());
    await this.keep(from, relative(this.home, this.blobPath(digest)));
    this.#intact.add(digest);
  }

  async #write(path: string, data: string | Uint8Array): Promise<void> {
    const temporary = this.path(this.#temporary());
    const file = await open(temporary, "w");
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path).catch(async () => {
      // A folder in its place.
      await this.remove(relative(this.home, path));
      await rename(temporary, path);
    });
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
        await this.remove(join(folder, name));
      }
  }

  /** Removes what was made shortly before the machine stopped: its files may not have reached the disk. */
  async #removeUnwritten(): Promise<void> {
    const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
    const known = await this.readJson<string>("boot.json");
    if (known === boot) return;
    if (known !== undefined) {
      const entries = await Promise.all(
        (await readdir(this.path("s"))).map(async (name) => {
          const { mtimeMs, birthtimeMs } = await stat(this.path("s", name));
          return { name, mtimeMs, birthtimeMs };
        }),
      );
      const last = Math.max(...entries.map(({ mtimeMs }) => mtimeMs));
      for (const { name, birthtimeMs } of entries)
        if (birthtimeMs > last - UNWRITTEN_MS) await this.remove(join("s", name));
    }
    await this.writeJson("boot.json", boot);
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

function withDigest(json: string): string {
  return `${textDigest(json)}\n${json}`;
}
