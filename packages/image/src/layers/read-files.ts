import { createHash, type Hash } from "node:crypto";
import { MAX_PACKAGE_FILE_BYTES, packageFileKind } from "../packages/package-files.js";
import { TreeBudget } from "./layer-tree.js";
import { unpackLayer, type LayerSource } from "./read-layer.js";
import { TarReader, type ContentScan, type TarEntry, type TarStat } from "./tar-reader.js";

/** A file, folder or link of an image. */
export interface ImageFile extends TarStat {
  readonly type: Exclude<TarEntry["type"], "hard link" | "null device">;
  /** Of a symbolic link. */
  readonly target?: string;
  /** Of a regular file's content, in hex; absent where digests were not wanted. */
  readonly sha256?: string;
  /** What the file is, where it was to be kept. */
  readonly content?: Uint8Array;
}

/** One layer's files: by path from the root, in order. */
export type LayerFiles = readonly TarEntry<FileContent>[];

interface FileContent {
  readonly sha256?: string;
  readonly content?: Uint8Array;
}

/** What is wanted of files. */
export interface FileSelection {
  /** Whether a regular file's content is kept, by its path from the root; by default of those that list packages. */
  readonly keep?: (path: string) => boolean;
  /** Whether files are hashed; by default they are. */
  readonly digests?: boolean;
}

/** What an entry takes in memory besides its names, in bytes. */
const ENTRY_BYTES = 400;

/** For the layers of all images of a call. */
export function filesBudget(): TreeBudget {
  return new TreeBudget(600e6);
}

/**
 * Reads one layer: the digest of every file, and the content of those that list packages, or as selected.
 * @throws TgoError as scanLayers does
 */
export async function readLayerFiles(
  layer: LayerSource,
  budget: TreeBudget,
  { keep = listsPackages, digests = true }: FileSelection = {},
): Promise<LayerFiles> {
  const entries: TarEntry<FileContent>[] = [];
  const reader = new TarReader<FileContent>(
    (path, size) => {
      const isKept = size <= MAX_PACKAGE_FILE_BYTES && keep(`/${path.replace(/^[./]+/, "")}`);
      return new ContentScanner({ isKept, digests });
    },
    (entry) => {
      budget.keep(ENTRY_BYTES + entry.path.length + (entry.facts?.content?.length ?? 0));
      entries.push(entry);
    },
  );
  await unpackLayer(layer, reader, budget);
  return entries;
}

/**
 * The files that these layers form, the lowest first, by path from the root ("/etc/passwd"). Verification refuses layers
 * that engines stack differently; here the last entry counts.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts
 */
export function mergeFiles(layers: readonly LayerFiles[]): ReadonlyMap<string, ImageFile> {
  const files = new Map<string, ImageFile>();
  for (const layer of layers) {
    const below = new Map(files);
    for (const entry of layer) {
      const path = `/${entry.path
        .split("/")
        .filter((part) => part !== "" && part !== ".")
        .join("/")}`;
      const slash = path.lastIndexOf("/");
      const folder = path.slice(0, slash);
      const name = path.slice(slash + 1);
      if (name === ".wh..wh..opq") removeBelow(files, folder, below);
      else if (name.startsWith(".wh.")) remove(files, `${folder}/${name.slice(4)}`);
      else if (path !== "/") {
        if (entry.type !== "directory") removeBelow(files, path);
        const file = fileOf(entry, files);
        if (file !== undefined) files.set(path, file);
      }
    }
  }
  return files;
}

function fileOf(
  { type, target, stat, facts }: TarEntry<FileContent>,
  files: ReadonlyMap<string, ImageFile>,
): ImageFile | undefined {
  if (type === "hard link") return files.get(`/${target.replace(/^[./]+/, "")}`);
  if (type === "file") return { type, ...stat, ...facts };
  if (type === "symbolic link") return { type, ...stat, target };
  return { type: type === "null device" ? "device" : type, ...stat };
}

function remove(files: Map<string, ImageFile>, path: string): void {
  files.delete(path);
  removeBelow(files, path);
}

/** @param only those that are in this map too */
function removeBelow(
  files: Map<string, ImageFile>,
  folder: string,
  only?: ReadonlyMap<string, ImageFile>,
): void {
  // Most paths that are replaced are no folders.
  if (only === undefined && files.get(folder)?.type !== "directory") return;
  for (const path of files.keys())
    if (path.startsWith(`${folder}/`) && (only === undefined || only.get(path) === files.get(path)))
      files.delete(path);
}

function listsPackages(path: string): boolean {
  return packageFileKind(path) !== undefined;
}

/** Hashes a file's content, and keeps it, as wanted. */
class ContentScanner implements ContentScan<FileContent> {
  readonly #hash: Hash | undefined;
  readonly #kept: Buffer[] | undefined;

  constructor({ isKept, digests }: { readonly isKept: boolean; readonly digests: boolean }) {
    this.#hash = digests ? createHash("sha256") : undefined;
    this.#kept = isKept ? [] : undefined;
  }

  add(bytes: Buffer): boolean {
    this.#hash?.update(bytes);
    // The bytes are valid only now.
    this.#kept?.push(Buffer.from(bytes));
    return this.#hash !== undefined || this.#kept !== undefined;
  }

  facts(): FileContent {
    return {
      ...(this.#hash === undefined ? {} : { sha256: this.#hash.digest("hex") }),
      ...(this.#kept === undefined ? {} : { content: Buffer.concat(this.#kept) }),
    };
  }
}
