import { closeSync, lstatSync, openSync, readSync, type Stats } from "node:fs";
import { chmod, lchown, rm } from "node:fs/promises";
import { basename, dirname, join, posix } from "node:path";
import { TgoError } from "@tgo/errors";
import type { Context } from "../context.js";
import { copyDirectory, type Attributes } from "../files/copy.js";
import { makeDirectories, setAllFixedTimes } from "../files/make-directories.js";
import { resolveIn } from "../files/paths.js";
import { fileDigest, ownedTreeDigest } from "../files/tree-digest.js";
import { findOwner, type Owner } from "../files/users.js";
import { pathsBelow } from "../files/walk.js";
import { runHostCommand } from "../host-command.js";
import type { Snapshot } from "../store/snapshot.js";

/** What COPY and ADD of local files copy. */
export interface CopyRequest extends Attributes {
  /** Paths in the source, with wildcards. */
  readonly sources: readonly string[];
  /** Absolute; ends with a slash if it is a directory. */
  readonly destination: string;
  readonly from: Snapshot;
  /** Whether the copy is keyed by the files' content, so that others beside them do not count. */
  readonly byContent: boolean;
}

/**
 * A file system with files copied from another, as BuildKit copies them: contents of directories are merged into the
 * destination, its symbolic links are followed, those below it are not. All directories that the copy makes or changes have
 * a fixed time.
 * @throws TgoError BUILD
 * @see https://github.com/tonistiigi/fsutil/blob/master/copy/copy.go
 */
export async function copyFiles(cx: Context, fs: Snapshot, request: CopyRequest): Promise<Snapshot> {
  const { sources, destination, from, byContent, owner, permissions } = request;
  const { found, content } = await cx.snapshots.mount(from, (root) => {
    const paths = sources.flatMap((source) => findSources(root, source));
    return {
      found: paths,
      content: byContent
        ? paths.map((path) => [basename(path), contentOf(root, path)])
        : [from.layers, paths],
    };
  });
  const key = ["dockerfile copy", destination, content, { owner, permissions }];
  return cx.snapshots.step(fs, key, (root, afterUnmount) =>
    cx.snapshots.mount(from, async (mounted) => {
      for (const path of found) await copyOne(mounted, path, root, request);
      afterUnmount(setAllFixedTimes);
    }),
  );
}

/** The paths that a source names: below the root, with a leading slash. */
export function findSources(root: string, source: string): string[] {
  const parts = posix.join("/", source).split("/").filter(Boolean);
  const wild = parts.findIndex((part) => /(?<!\\)(?:\\\\)*[*?[]/.test(part));
  if (wild === -1) {
    const path = `/${parts.join("/")}`;
    if (lstatSync(resolveIn(root, path), { throwIfNoEntry: false }) === undefined) throw missing(source);
    return [path];
  }
  const folder = resolveIn(root, parts.slice(0, wild).join("/"));
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw missing(source);
  const pattern = parts.slice(wild);
  const matches = [...pathsBelow(folder)].filter((path) => {
    const names = path.split("/");
    return (
      names.length === pattern.length &&
      names.every((name, index) => matchesPattern(name, pattern[index] ?? ""))
    );
  });
  return matches.map((path) => join(folder, path).slice(root.length));
}

/** Go's filepath.Match for one name. */
function matchesPattern(name: string, pattern: string): boolean {
  const expression = pattern.replaceAll(
    /\\(.)|\[(\^?)([^\]]*)\]|[*?]|[$()+.{}|^[\]\\/]/gsu,
    (part, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return `\\u{${(escaped.codePointAt(0) ?? 0).toString(16)}}`;
      if (set !== undefined) return `[${not ?? ""}${set.replaceAll(/[[&~]/g, String.raw`\$&`)}]`;
      return part === "*" ? "[^]*" : part === "?" ? "[^]" : `\\${part}`;
    },
  );
  return new RegExp(`^${expression}$`, "u").test(name);
}

function missing(source: string): TgoError {
  return new TgoError("BUILD", `there is no ${source} to copy`, {
    remedy: "Check the path, and .dockerignore, which hides files.",
  });
}

function contentOf(root: string, path: string): string {
  const real = resolveIn(root, path);
  return lstatSync(real).isDirectory() ? ownedTreeDigest(real) : fileDigest(real);
}

async function copyOne(
  mounted: string,
  path: string,
  root: string,
  { destination, owner: spec, permissions }: CopyRequest,
): Promise<void> {
  const owner = findOwner(root, spec);
  const source = resolveIn(mounted, path);
  const info = lstatSync(source);
  const parent = destination.slice(0, destination.lastIndexOf("/") + 1);
  await makeParents(root, parent, owner, permissions);
  let target = resolveIn(root, destination);
  if (!info.isDirectory() && statOf(target)?.isDirectory()) target = join(target, basename(path));
  const at = target.slice(root.length) || "/";
  await makeParents(root, dirname(at), owner, permissions);
  checkTarget(at, info, statOf(target));
  const attributes = {
    ...(spec === undefined ? {} : { owner: spec }),
    ...(permissions === undefined ? {} : { permissions }),
  };
  if (info.isDirectory()) {
    for (const name of pathsBelow(source))
      checkTarget(join(at, name), lstatSync(join(source, name)), statOf(join(target, name)));
    return copyDirectory(source, root, at, undefined, attributes);
  }
  await rm(target, { force: true });
  await runHostCommand(["cp", "--archive", "--no-target-directory", source, target]);
  if (owner) await lchown(target, owner.uid, owner.gid);
  // A change of the owner clears the bits of a set-user-ID program.
  if (permissions !== undefined || owner) await chmod(target, permissions ?? info.mode & 0o7777);
}

async function makeParents(
  root: string,
  path: string,
  owner: Owner | undefined,
  mode: number | undefined,
): Promise<void> {
  for (let at = resolveIn(root, path); at.length > root.length; at = dirname(at)) {
    if (statOf(at)?.isDirectory() === false)
      throw new TgoError("BUILD", `${at.slice(root.length)} is not a directory`, {
        remedy: "Copy it to another place.",
      });
  }
  await makeDirectories(root, path, owner, mode);
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

function checkTarget(path: string, source: Stats, target: Stats | undefined): void {
  if (target === undefined || source.isDirectory() === target.isDirectory()) return;
  const problem = source.isDirectory()
    ? "a directory cannot replace a file"
    : "a file cannot replace a directory";
  throw new TgoError("BUILD", `${problem}: ${path}`, { remedy: "Copy it to another place." });
}

const ARCHIVES: readonly (readonly [offset: number, magic: string])[] = [
  [0, "1f8b"],
  [0, "425a68"],
  [0, "fd377a585a"],
  [0, "28b52ffd"],
  [257, "7573746172"],
];

/** Whether a file looks like an archive, compressed or not. */
export function isArchive(root: string, path: string): boolean {
  const real = resolveIn(root, path);
  if (!lstatSync(real).isFile()) return false;
  const file = openSync(real, "r");
  try {
    const start = Buffer.alloc(300);
    const length = readSync(file, start, 0, start.length, 0);
    const hex = start.subarray(0, length).toString("hex");
    return ARCHIVES.some(([offset, magic]) => hex.startsWith(magic, 2 * offset));
  } finally {
    closeSync(file);
  }
}
