import {
  chmodSync,
  type Dirent,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  symlinkSync,
  utimesSync,
} from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { DISK_FULL, isDiskFull, isTgoError, TgoError } from "@tgo/errors";
import { readReason } from "@tgo/host";
import { readCommit, readTree, type TreeEntry } from "./commit.js";
import { copyFile, removeTarget, writeTarget, type Target } from "./copy-file.js";
import { lfsPaths, MAX_POINTER, parsePointer, type LfsPointer } from "./lfs.js";
import { objectId, ObjectReader } from "./object-reader.js";
import type { GitRun } from "./git-run.js";
import { openRepository, resolveReference, type Repository } from "./repository.js";
import { interrupted } from "./run-git.js";

/** How a path of a folder differs from the commit. */
export type DifferenceKind =
  | "modified"
  | "missing"
  /** In the folder, not in the commit. */
  | "untracked"
  /** Another executable bit. */
  | "mode"
  /** For example a link in place of a file. */
  | "type"
  /** A pointer of git LFS in place of its content. */
  | "lfs-pointer"
  | "submodule-missing"
  | "submodule-commit";

export interface Difference {
  /** Relative to the compared folder. */
  readonly path: string;
  readonly kind: DifferenceKind;
}

export interface CompareOptions {
  /** The folder that the tree is compared with; a real path. */
  readonly folder: string;
  /** Compare only these files and folders, relative to it; "" is everything. */
  readonly paths: readonly string[];
  /** Names, at any depth, that no build sees. */
  readonly skip: ReadonlySet<string>;
  /** Writes the commit's files there, an empty folder. */
  readonly exportTo?: string;
  /** Time of exported files, seconds since 1970. */
  readonly time: number;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Whether the commit has anything at the paths. */
  readonly found: boolean;
}

/** One repository: that of the source, or a submodule's. */
interface Origin {
  readonly repository: Repository;
  readonly reader: ObjectReader;
  readonly tree: string;
  /** Path of its root, relative to the compared folder; "" or ending with a slash. */
  readonly prefix: string;
  readonly lfs: LfsFile[];
}

interface LfsFile {
  /** Relative to the compared folder. */
  readonly path: string;
  /** Reported if the commit's attributes give the file to git LFS. */
  readonly tracked?: DifferenceKind;
  /** Reported if they do not. */
  readonly untracked?: DifferenceKind;
}

/** Files up to this size are compared without their line endings; a text that is larger has no place in a source. */
const MAX_TEXT = 16 << 20;

/**
 * Files up to this size are exported from the repository although the folder's differ: those that decide what a build
 * sees. Together they may have {@link MAX_SPARE} bytes.
 */
const MAX_EXPORTED = 1 << 20;
const MAX_SPARE = 64 << 20;

/** A commit may have more files than any disk holds: trees that contain one another many times over. */
const MAX_ENTRIES = 500_000;

/** Time without a pause for other events, such as Ctrl-C, in milliseconds. */
const SLICE_MS = 25;

/**
 * Compares a tree with a folder by content, and exports it. Neither the index's flags nor any setting of the repository
 * has a say: a file is equal if its bytes are the commit's, apart from CRLF line endings that a checkout wrote for LF, or if
 * they are what the commit's git LFS pointer stands for.
 *
 * Empty folders are no difference: a commit cannot hold one.
 */
export async function compareTree(
  repository: Repository,
  reader: ObjectReader,
  tree: string,
  options: CompareOptions,
): Promise<Comparison> {
  const comparison = new TreeComparison(options, repository.run);
  try {
    const origin = { repository, reader, tree, prefix: "", lfs: [] };
    await comparison.directory(origin, tree, "", true);
    await comparison.finishLfs(origin);
  } catch (error) {
    throw explained(error, options.exportTo);
  }
  return { differences: comparison.differences, found: comparison.found };
}

class TreeComparison {
  readonly differences: Difference[] = [];
  found = false;
  readonly #options: CompareOptions;
  readonly #run: GitRun;
  #sliceEnd = performance.now() + SLICE_MS;
  #entries = 0;
  #spare = MAX_SPARE;

  constructor(options: CompareOptions, run: GitRun) {
    this.#options = options;
    this.#run = run;
  }

  /**
   * @param tree undefined for a folder that is not in the commit
   * @param exists false for a folder that only the commit has
   */
  async directory(origin: Origin, tree: string | undefined, path: string, exists: boolean): Promise<void> {
    const { skip } = this.#options;
    const all = tree === undefined ? [] : await readTree(origin.reader, tree, origin.repository.format);
    const entries = all.filter(({ name }) => !skip.has(name));
    const present = exists ? this.#list(path) : new Map<string, Dirent>();
    for (const entry of entries) {
      const child = join(path, entry.name);
      const dirent = present.get(entry.name);
      present.delete(entry.name);
      if (!this.#reaches(child)) continue;
      await this.#pause();
      if (!entry.isReadable)
        throw new TgoError("SOURCE", "the name of a file in the commit is not UTF-8", {
          where: child,
          remedy: "Rename the file and commit that.",
        });
      if (++this.#entries > MAX_ENTRIES)
        throw new TgoError("SOURCE", `the commit has more than ${MAX_ENTRIES} files`, {
          where: child,
          remedy: "Pass --source with a smaller checkout.",
        });
      await this.#entry(origin, entry, child, dirent);
    }
    for (const [name, dirent] of present) {
      const child = join(path, name);
      if (!this.#reaches(child)) continue;
      await this.#pause();
      if (dirent.isDirectory()) await this.directory(origin, undefined, child, true);
      else if (this.#contains(child)) this.#report(child, "untracked");
    }
  }

  /** Reports files that turned out to be, or not to be, git LFS's. */
  async finishLfs({ repository, tree, prefix, lfs }: Origin): Promise<void> {
    const inRepository = (path: string): string => path.slice(prefix.length);
    const tracked = await lfsPaths(
      repository,
      tree,
      lfs.map(({ path }) => inRepository(path)),
    );
    for (const file of lfs) {
      const kind = tracked.has(inRepository(file.path)) ? file.tracked : file.untracked;
      if (kind !== undefined) this.#report(file.path, kind);
    }
  }

  async #entry(origin: Origin, entry: TreeEntry, path: string, present: Dirent | undefined): Promise<void> {
    if (this.#contains(path)) this.found = true;
    switch (entry.kind) {
      case "directory": {
        this.#makeDirectory(path);
        if (present !== undefined && !present.isDirectory()) this.#report(path, "type");
        await this.directory(origin, entry.id, path, present?.isDirectory() === true);
        this.#closeDirectory(path);
        return;
      }
      case "submodule":
        this.#makeDirectory(path);
        await this.#submodule(entry, path, present);
        this.#closeDirectory(path);
        return;
      case "link":
        await this.#link(origin, entry, path, present);
        break;
      default:
        await this.#file(origin, entry, path, present);
    }
    // The commit has a file where the folder has a folder.
    if (present?.isDirectory() === true) await this.directory(origin, undefined, path, true);
  }

  async #file(origin: Origin, entry: TreeEntry, path: string, present: Dirent | undefined): Promise<void> {
    if (!this.#contains(path)) return;
    const target = this.#target(path, entry.kind === "program");
    const { format } = origin.repository;
    const source = join(this.#options.folder, path);
    const pause = (): Promise<void> => this.#pause();
    const copied =
      present?.isFile() === true
        ? await copyFile(source, { hash: format, prefix: (size) => `blob ${size}\0`, target, pause })
        : undefined;
    if (copied?.digest === entry.id) {
      if (copied.executable !== (entry.kind === "program")) this.#report(path, "mode");
      if (copied.small !== undefined && parsePointer(copied.small) !== undefined)
        origin.lfs.push({ path, tracked: "lfs-pointer" });
      return;
    }
    removeTarget(target);
    const different = present === undefined ? "missing" : present.isFile() ? "modified" : "type";
    const isExecutable = (stat: Stats | undefined): boolean => ((stat?.mode ?? 0) & 0o100) !== 0;
    const reportMode = (): void => {
      if (isExecutable(stat(source)) !== (entry.kind === "program")) this.#report(path, "mode");
    };
    if (copied !== undefined) {
      const text = copied.size <= MAX_TEXT ? withoutCarriageReturns(readFileSync(source)) : undefined;
      if (text !== undefined && objectId(format, "blob", text) === entry.id) {
        if (target !== undefined) writeTarget(target, text);
        reportMode();
        return;
      }
    }
    const limit = target === undefined ? 0 : Math.min(MAX_EXPORTED, this.#spare);
    const isNeeded = copied !== undefined || limit > 0;
    const blob = isNeeded ? await origin.reader.read(entry.id, Math.max(limit, MAX_POINTER)) : undefined;
    const pointer = blob?.content === undefined ? undefined : parsePointer(blob.content);
    if (copied !== undefined && pointer !== undefined && (await this.#isContent(source, pointer, target))) {
      origin.lfs.push({ path, untracked: "modified" });
      reportMode();
      return;
    }
    this.#report(path, different);
    if (target === undefined || blob?.content === undefined) return;
    // What an empty file takes counts too.
    this.#spare -= Math.max(blob.size, 512);
    writeTarget(target, blob.content);
  }

  /** Whether the file is what the pointer stands for; if so, it is exported. */
  async #isContent(source: string, pointer: LfsPointer, target: Target | undefined): Promise<boolean> {
    const copied = await copyFile(source, { hash: "sha256", target, pause: () => this.#pause() });
    if (copied?.digest === pointer.sha256 && copied.size === pointer.size) return true;
    removeTarget(target);
    return false;
  }

  async #link(origin: Origin, entry: TreeEntry, path: string, present: Dirent | undefined): Promise<void> {
    if (!this.#contains(path)) return;
    const source = join(this.#options.folder, path);
    let content: Uint8Array | undefined;
    if (present?.isSymbolicLink() === true) content = readlinkSync(source, "buffer");
    if (content === undefined || objectId(origin.repository.format, "blob", content) !== entry.id) {
      this.#report(path, present === undefined ? "missing" : content === undefined ? "type" : "modified");
      content = (await origin.reader.read(entry.id, MAX_POINTER * 4))?.content;
    }
    const to = this.#exported(path);
    if (to === undefined || content === undefined) return;
    symlinkSync(Buffer.from(content), to);
    lutimesSync(to, this.#options.time, this.#options.time);
  }

  async #submodule(entry: TreeEntry, path: string, present: Dirent | undefined): Promise<void> {
    const folder = join(this.#options.folder, path);
    if (present?.isDirectory() !== true || stat(join(folder, ".git")) === undefined) {
      this.#report(path, present === undefined || present.isDirectory() ? "submodule-missing" : "type");
      return;
    }
    const repository = await openRepository(folder, this.#run);
    if ((await resolveReference(repository, "HEAD")) !== entry.id) this.#report(path, "submodule-commit");
    const reader = new ObjectReader(repository);
    try {
      const commit = await readCommit(reader, entry.id);
      if (commit === undefined) {
        this.#report(path, "submodule-missing");
        return;
      }
      const origin = { repository, reader, tree: commit.tree, prefix: `${path}/`, lfs: [] };
      await this.directory(origin, commit.tree, path, true);
      await this.finishLfs(origin);
    } finally {
      reader.close();
    }
  }

  #list(path: string): Map<string, Dirent> {
    try {
      const found = readdirSync(join(this.#options.folder, path), { withFileTypes: true });
      return new Map(
        found.filter(({ name }) => !this.#options.skip.has(name)).map((each) => [each.name, each]),
      );
    } catch (error) {
      if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return new Map();
      throw error;
    }
  }

  /** Whether a requested path is the path, or above it. */
  #contains(path: string): boolean {
    return this.#options.paths.some(
      (wanted) => wanted === "" || path === wanted || path.startsWith(`${wanted}/`),
    );
  }

  /** Whether a requested path is the path, above it, or below it. */
  #reaches(path: string): boolean {
    return this.#contains(path) || this.#options.paths.some((wanted) => wanted.startsWith(`${path}/`));
  }

  #report(path: string, kind: DifferenceKind): void {
    this.differences.push({ path, kind });
  }

  #exported(path: string): string | undefined {
    const { exportTo } = this.#options;
    return exportTo === undefined ? undefined : join(exportTo, path);
  }

  #target(path: string, executable: boolean): Target | undefined {
    const to = this.#exported(path);
    return to === undefined ? undefined : { path: to, executable, time: this.#options.time };
  }

  #makeDirectory(path: string): void {
    const to = this.#exported(path);
    if (to === undefined) return;
    mkdirSync(to);
    chmodSync(to, 0o755);
  }

  /** Writing its files has changed its time. */
  #closeDirectory(path: string): void {
    const to = this.#exported(path);
    if (to !== undefined) utimesSync(to, this.#options.time, this.#options.time);
  }

  async #pause(): Promise<void> {
    if (performance.now() < this.#sliceEnd) return;
    await setImmediate();
    this.#sliceEnd = performance.now() + SLICE_MS;
    if (this.#run.signal?.aborted === true) throw interrupted();
  }
}

function stat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** The text with LF for CRLF; undefined if it has none. */
function withoutCarriageReturns(text: Buffer): Buffer | undefined {
  if (!text.includes("\r\n")) return undefined;
  return Buffer.from(text.toString("latin1").replaceAll("\r\n", "\n"), "latin1");
}

function explained(error: unknown, exportTo: string | undefined): unknown {
  const { code, path } = error as NodeJS.ErrnoException;
  if (isDiskFull(error))
    return new TgoError("ENVIRONMENT", `${DISK_FULL}: a release writes the commit's files there`, {
      ...(exportTo === undefined ? {} : { where: exportTo }),
      remedy: "Free disk space, or set TMPDIR to a folder on another disk.",
      cause: error,
    });
  if (code === "EEXIST" && exportTo !== undefined)
    return new TgoError("SOURCE", "the commit has two files whose names are one on this file system", {
      where: path?.slice(exportTo.length + 1) ?? exportTo,
      remedy: "Rename one of them, or set TMPDIR to a folder on a case-sensitive file system.",
      cause: error,
    });
  if (code === undefined || isTgoError(error)) return error;
  return new TgoError("SOURCE", `the checkout cannot be compared with its commit: ${readReason(error)}`, {
    ...(path === undefined ? {} : { where: path }),
    remedy: "Check the file's permissions and the length of its path.",
    cause: error,
  });
}
