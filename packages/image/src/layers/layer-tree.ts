import { TgoError } from "@tgo/errors";
import type { FileFacts } from "./file-facts.js";
import type { TarEntry } from "./tar-reader.js";

/** A symbolic link in a layer. */
export class SymbolicLink {
  constructor(readonly target: string) {}
}

/** What is no directory. A regular file is what is known of its content, or its size in bytes. */
type Leaf =
  | FileFacts
  | SymbolicLink
  | number
  | Exclude<TarEntry["type"], "file" | "directory" | "hard link" | "symbolic link">
  | "whiteout";

/** A directory of one layer, or of the file system that several layers form. */
export class Directory {
  /** By name. */
  readonly entries = new Map<string, Directory | Leaf>();
  /** Hides what lower layers have in it. */
  opaque = false;
  /** It has an entry of its own. */
  listed = false;
  /** A directory somewhere below it is implied. */
  holdsImplied = false;

  constructor(
    /** The path of another entry implied it first. */
    readonly implied = false,
    /** The same layer has a whiteout of it. */
    readonly replaces = false,
  ) {}
}

/** Bounds what all layers of an image take: memory, and time to unpack them. In bytes. */
export class TreeBudget {
  #left: number;
  #unpackedLeft = MAX_UNPACKED;

  constructor(bytes = 120e6) {
    this.#left = bytes;
  }

  /** @throws TgoError INVALID_RESPONSE when the layers are too large */
  unpack(bytes: number): void {
    this.#unpackedLeft -= bytes;
    if (this.#unpackedLeft < 0)
      throw new TgoError("INVALID_RESPONSE", `the image unpacks to more than ${MAX_UNPACKED} bytes`);
  }

  /** @throws TgoError INVALID_RESPONSE when there are too many entries, or their names are too long */
  add(name: string, entry: Directory | Leaf): void {
    this.keep(name.length + (entry instanceof Directory ? DIRECTORY_BYTES : LEAF_BYTES));
  }

  /** @throws TgoError INVALID_RESPONSE as {@link add} */
  keep(bytes: number): void {
    this.#left -= bytes;
    if (this.#left < 0)
      throw new TgoError("INVALID_RESPONSE", "the image has more files than this program can check");
  }
}

/** In all layers of all platforms. */
const MAX_UNPACKED = 64 * 1024 ** 3;
/** Measured: in the layer and in the merged tree. */
const LEAF_BYTES = 150;
const DIRECTORY_BYTES = 700;

/** Characters of the facts of files that many files may share, in JSON. */
const MAX_COMMON = 100;

/** image-spec, layer.md#whiteouts */
const WHITEOUT = ".wh.";
const OPAQUE = ".wh..wh..opq";

/** What Linux file systems take, in bytes; an engine's own directory comes on top of the path. */
const MAX_NAME = 255;
const MAX_PATH = 4000;
const MAX_TARGET = 4095;

/**
 * What one layer contains, its entries applied in order. Refuses what Docker, containerd and skopeo refuse, and what
 * depends on how they store images: with overlayfs they unpack each layer on its own and the kernel stacks them, with
 * other drivers they unpack each layer on top of the lower ones.
 */
export class LayerTree {
  readonly root = new Directory();
  readonly #common = new Map<string, FileFacts>();

  constructor(private readonly budget: TreeBudget) {}

  /** @throws Error saying why not all programs unpack it alike */
  add(entry: TarEntry<FileFacts>): void {
    const path = partsOf(entry.path);
    const name = path.pop();
    if (name === undefined) {
      if (entry.type !== "directory") throw new Error("an entry that replaces the root");
      list(this.root, entry.path);
      return;
    }
    const parent = this.#directory(path, entry.path);
    if (name === OPAQUE) hideLower(parent, path.length === 0, entry.path);
    else if (name.startsWith(WHITEOUT)) this.#remove(parent, name.slice(WHITEOUT.length), entry.path);
    else {
      const before = parent.entries.get(name);
      const isDirectory = before instanceof Directory;
      if (isDirectory) list(before, entry.path);
      else if (before !== undefined && before !== "whiteout") throw duplicate(entry.path);
      if (entry.type !== "directory") this.#set(parent, name, this.#leaf(entry.type, entry));
      else if (!isDirectory)
        list(this.#set(parent, name, new Directory(false, before !== undefined)), entry.path);
    }
  }

  /** @param entry for messages */
  #directory(path: readonly string[], entry: string): Directory {
    let directory = this.root;
    const parents: Directory[] = [];
    for (const name of path) {
      // AUFS's own directories, and what fuse-overlayfs takes for a whiteout.
      if (name.startsWith(WHITEOUT)) throw new Error(`the reserved name ${name}: ${entry}`);
      parents.push(directory);
      let next = directory.entries.get(name);
      if (next === undefined) {
        next = this.#set(directory, name, new Directory(true));
        for (const parent of parents) parent.holdsImplied = true;
      }
      if (!(next instanceof Directory)) throw new Error(`a path through a ${kindOf(next)}: ${entry}`);
      directory = next;
    }
    return directory;
  }

  #remove(parent: Directory, name: string, entry: string): void {
    if (name === "" || name === "." || name === ".." || name.startsWith(WHITEOUT))
      throw new Error(`an invalid whiteout: ${entry}`);
    if (parent.entries.has(name)) throw new Error(`a whiteout of what the same layer has: ${entry}`);
    this.#set(parent, name, "whiteout");
  }

  #leaf(type: Exclude<TarEntry["type"], "directory">, entry: TarEntry<FileFacts>): Leaf {
    const { path, target, stat, facts } = entry;
    if (type === "hard link") return this.#linked(target, path);
    if (type === "symbolic link") {
      if (target === "" || isLonger(target, MAX_TARGET))
        throw new Error(`a symbolic link to nothing: ${path}`);
      this.budget.keep(target.length);
      return new SymbolicLink(target);
    }
    if (type !== "file") return type;
    return facts === undefined ? stat.size : this.#kept(facts);
  }

  /** Only this layer is searched: with overlayfs, it is unpacked where the lower ones are not. */
  #linked(target: string, path: string): Leaf {
    let found: Directory | Leaf | undefined = this.root;
    for (const name of partsOf(target))
      found = found instanceof Directory ? found.entries.get(name) : undefined;
    if (found === undefined || found instanceof Directory || found === "whiteout")
      throw new Error(`a hard link to what the same layer does not have before it: ${path} to ${target}`);
    return found;
  }

  /** One object for all equal short ones: an image may have a million files. */
  #kept(facts: FileFacts): FileFacts {
    if (facts.content !== undefined) {
      this.budget.keep(facts.content.length);
      return facts;
    }
    const key = JSON.stringify(facts);
    if (key.length > MAX_COMMON) {
      this.budget.keep(key.length);
      return facts;
    }
    const known = this.#common.get(key) ?? facts;
    if (known === facts) this.budget.keep(key.length);
    this.#common.set(key, known);
    return known;
  }

  #set<T extends Directory | Leaf>(parent: Directory, name: string, entry: T): T {
    this.budget.add(name, entry);
    parent.entries.set(name, entry);
    return entry;
  }
}

/** Stacks a layer on the lower ones; changes neither. @throws Error saying why engines would differ */
export function stackLayer(lower: Directory | undefined, layer: Directory, path = ""): Directory {
  const merged = new Directory();
  const visible = layer.opaque ? undefined : lower;
  for (const [name, entry] of visible?.entries ?? []) merged.entries.set(name, entry);
  for (const [name, entry] of layer.entries) {
    const below = visible?.entries.get(name);
    const at = `${path}/${name}`;
    if (entry === "whiteout") merged.entries.delete(name);
    else if (entry instanceof Directory) {
      const isDirectory = below instanceof Directory;
      if (below !== undefined && !isDirectory && entry.implied)
        throw new Error(`a path through a ${kindOf(below)} of a lower layer: ${at}`);
      if (isDirectory && entry.replaces)
        throw new Error(`a directory that the same layer removes and adds: ${at}`);
      merged.entries.set(name, stackLayer(isDirectory ? below : undefined, entry, at));
    } else {
      if (entry === "null device" && below !== undefined)
        throw new Error(`a device 0:0, a whiteout to some engines only: ${at}`);
      merged.entries.set(name, entry);
    }
  }
  return merged;
}

/** A regular file, as what is known of its content or its size; or a symbolic link. */
export type FileEntry = FileFacts | SymbolicLink | number;

/** Every regular file and symbolic link, with its path from the root. */
export function* entriesOf(
  root: Directory,
): Generator<readonly [path: string, entry: FileEntry], void, undefined> {
  // No recursion: a path has up to two thousand directories.
  const open = [{ path: "", entries: root.entries.entries() }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const next = top.entries.next();
    if (next.done === true) {
      open.pop();
      continue;
    }
    const [name, entry] = next.value;
    const path = `${top.path}/${name}`;
    if (entry instanceof Directory) open.push({ path, entries: entry.entries.entries() });
    else if (typeof entry !== "string") yield [path, entry];
  }
}

/** Every regular file, with what is known of its content. */
export function* filesOf(
  root: Directory,
): Generator<readonly [path: string, facts: FileFacts | undefined], void, undefined> {
  for (const [path, entry] of entriesOf(root))
    if (!(entry instanceof SymbolicLink)) yield [path, typeof entry === "number" ? undefined : entry];
}

function list(directory: Directory, entry: string): void {
  if (directory.listed) throw duplicate(entry);
  directory.listed = true;
}

/** Docker and skopeo refuse it, since they note a layer's entries by name (tar-split). */
function duplicate(entry: string): Error {
  return new Error(`an entry that is there twice: ${entry}`);
}

/** After the files beside it, some engines delete those in directories without an entry of their own. */
function hideLower(directory: Directory, isRoot: boolean, entry: string): void {
  if (isRoot) throw new Error("an opaque whiteout of the root");
  if (directory.opaque) throw duplicate(entry);
  if (directory.holdsImplied) throw new Error(`an opaque whiteout after the files beside it: ${entry}`);
  directory.opaque = true;
}

/** The path's components below the root, cleaned as Go's `path.Clean` does: ".." does not leave the root. */
function partsOf(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  if (isLonger(path, MAX_PATH) || parts.some((part) => isLonger(part, MAX_NAME)))
    throw new Error(`a name too long for a file system: ${path.slice(0, MAX_NAME)}…`);
  return parts;
}

/** Whether a name has more bytes; a byte that is not UTF-8 is a lone surrogate here. */
function isLonger(text: string, bytes: number): boolean {
  // A character has up to three: most names need not be counted.
  return text.length * 3 > bytes && Buffer.byteLength(text.replace(/[\udc80-\udcff]/gu, "?")) > bytes;
}

function kindOf(leaf: Leaf): string {
  if (leaf instanceof SymbolicLink) return "symbolic link";
  return typeof leaf === "string" ? leaf : "file";
}
