import {
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  utimesSync,
  type Stats,
} from "node:fs";
import { chmod, copyFile, lchown, lutimes, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { command } from "./command.js";
import { FIXED_TIME, makeDirectories, resolveIn, stampUp, type Owner } from "./paths.js";
import { sortedEntries } from "./select.js";
import { sha256 } from "./store.js";
import { findOwner } from "./users.js";

/** How copied files come out; what is not set stays as in the source. */
export interface Attributes {
  /** `user:group` by number or by name in the target's /etc/passwd and /etc/group; the group defaults to the user. */
  readonly owner?: string | undefined;
  /** Mode bits, for directories and files alike. */
  readonly permissions?: number | undefined;
  /** Seconds since 1970, for everything copied. */
  readonly timestamp?: number | undefined;
}

/**
 * Copies the contents of a directory (a real path) into `path` of `root`, over what is there.
 * @param selected only these paths, relative to the source
 */
export async function copyDirectory(
  source: string,
  root: string,
  path: string,
  selected: readonly string[] | undefined,
  attributes: Attributes = {},
): Promise<void> {
  const owner = findOwner(root, attributes.owner);
  const before = await stat(resolveIn(root, path)).catch(() => undefined);
  const target = await makeDirectories(root, path, owner);
  const create = ["tar", "-C", source, "--format=posix", ...XATTRS, "-cf", "-"];
  if (owner) create.push(`--owner=:${owner.uid}`, `--group=:${owner.gid}`);
  if (attributes.permissions !== undefined) create.push(`--mode=${attributes.permissions.toString(8)}`);
  if (attributes.timestamp !== undefined) create.push(`--mtime=@${attributes.timestamp}`);
  if (selected) create.push("--no-recursion", "--null", "--verbatim-files-from", "-T", "-");
  else create.push(".");
  const both = [...create, "tar", "-C", target, ...EXTRACT];
  const input = selected?.join("\0") ?? "";
  await command(["bash", "-c", PIPE, "copy", String(create.length), ...both], { input });
  if (!before) return settle(root, target, await stat(source), owner, attributes);
  await lchown(target, before.uid, before.gid);
  await chmod(target, before.mode & 0o7777);
  await stampUp(root, target);
}

/** Gives what was copied the owner, mode and time of its source, or those asked for. */
async function settle(
  root: string,
  target: string,
  like: Stats,
  owner: Owner | undefined,
  { permissions, timestamp }: Attributes,
): Promise<void> {
  await lchown(target, owner?.uid ?? like.uid, owner?.gid ?? like.gid);
  await chmod(target, permissions ?? like.mode & 0o7777);
  await stampUp(root, target);
  if (target !== root) await utimes(target, ...sameTwice(timestamp ?? Math.floor(like.mtimeMs / 1000)));
}

/** Whether copying needs no more than what an upper layer does to a lower one: no link followed, no kind changed. */
export function mergesPlainly(
  source: string,
  target: string,
  selected: readonly string[] | undefined,
): boolean {
  if (!lstatSync(target, { throwIfNoEntry: false })) return true;
  for (const path of selected ?? pathsBelow(source)) {
    const there = lstatSync(join(target, path), { throwIfNoEntry: false });
    if (there && there.isDirectory() !== lstatSync(join(source, path)).isDirectory()) return false;
  }
  return true;
}

/** Fills an empty directory with the files of another one: new directories, the same files. */
export function linkTree(source: string, target: string, selected: readonly string[] | undefined): void {
  const folders: [string, Stats][] = [[target, statSync(target)]];
  for (const path of selected ?? pathsBelow(source)) {
    const [from, to] = [join(source, path), join(target, path)];
    const info = lstatSync(from);
    if (info.isDirectory()) {
      mkdirSync(to);
      lchownSync(to, info.uid, info.gid);
      chmodSync(to, info.mode & 0o7777);
      folders.push([to, info]);
    } else linkSync(from, to);
  }
  for (const [folder, { mtimeMs }] of folders.reverse())
    utimesSync(folder, ...sameTwice(Math.floor(mtimeMs / 1000)));
}

/** Every path below a directory, relative to it: directories before their contents, in a fixed order. */
export function* pathsBelow(root: string, folder = ""): Generator<string> {
  for (const entry of sortedEntries(join(root, folder))) {
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* pathsBelow(root, path);
  }
}

const XATTRS = ["--xattrs", "--xattrs-include=security.capability"];
const EXTRACT = ["-xpf", "-", "--numeric-owner", "--keep-directory-symlink", ...XATTRS];
/** First argument: how many of the next ones are the command before the pipe. */
const PIPE = 'set -o pipefail; n=$1; shift; "${@:1:n}" | "${@:n+1}"';

function sameTwice(time: number): [number, number] {
  return [time, time];
}

/** Copies one file to `path`; into it, under `name`, when it is a directory or ends with a slash. */
export async function copyOneFile(
  source: string,
  name: string,
  root: string,
  path: string,
  attributes: Attributes,
): Promise<void> {
  const there = lstatSync(resolveIn(root, path), { throwIfNoEntry: false });
  const target = resolveIn(root, path.endsWith("/") || there?.isDirectory() ? `${path}/${name}` : path);
  const owner = findOwner(root, attributes.owner);
  await makeDirectories(root, dirname(target).slice(root.length), owner);
  await rm(target, { force: true });
  await copyFile(source, target);
  await settle(root, target, await stat(source), owner, attributes);
}

export async function writeNewFile(
  root: string,
  path: string,
  contents: string,
  { owner: spec, permissions = 0o644 }: Attributes,
): Promise<void> {
  const target = resolveIn(root, path);
  const owner = findOwner(root, spec);
  await makeDirectories(root, dirname(target).slice(root.length), owner);
  await writeFile(target, contents);
  await chmod(target, permissions);
  if (owner) await lchown(target, owner.uid, owner.gid);
  await stampUp(root, target);
}

export async function makeDirectory(root: string, path: string, permissions: number): Promise<void> {
  const target = await makeDirectories(root, path);
  await chmod(target, permissions);
  await stampUp(root, target);
}

export async function makeSymlink(root: string, target: string, path: string): Promise<void> {
  const link = resolveIn(root, path, false);
  await makeDirectories(root, dirname(link).slice(root.length));
  await symlink(target, link);
  await lutimes(link, FIXED_TIME, FIXED_TIME);
  await stampUp(root, dirname(link));
}

/** Removes a path, with all below it; a `*` stands for any characters of the last part. A missing one is fine. */
export async function remove(root: string, path: string): Promise<void> {
  const folder = resolveIn(root, dirname(path));
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`^${basename(path).split("*").map(literal).join("[^/]*")}$`);
  for (const entry of sortedEntries(folder))
    if (pattern.test(entry.name)) await rm(join(folder, entry.name), { recursive: true, force: true });
  await stampUp(root, folder);
}

/** Copies of `changed` what is not the same in `base`. */
export async function copyDifference(base: string, changed: string, root: string): Promise<void> {
  const known = new Set(treeLines(base));
  const other = treeLines(changed).filter((line) => !known.has(line));
  const paths = other.map((line) => line.slice(line.indexOf("/") + 1));
  await copyDirectory(changed, root, "/", paths);
}

/**
 * One line for every entry: kind, mode, content hash or link target, path. Times and owners are left out, as in
 * Dagger's own content hash of a host directory.
 */
function treeLines(root: string, selected?: readonly string[]): string[] {
  const lines: string[] = [];
  for (const path of selected ?? pathsBelow(root)) {
    const full = join(root, path);
    const info = lstatSync(full);
    const mode = (info.mode & 0o7777).toString(8);
    if (info.isSymbolicLink()) lines.push(`l - ${sha256(readlinkSync(full))} /${path}`);
    else if (info.isDirectory()) lines.push(`d ${mode} - /${path}`);
    else if (info.isFile()) lines.push(`f ${mode} ${sha256(readFileSync(full))} /${path}`);
  }
  return lines;
}

export function treeDigest(root: string, selected?: readonly string[]): string {
  return sha256(treeLines(root, selected).join("\n"));
}

/** Names what a whole layer holds: its tree, with owners. */
export function contentOf(root: string): string {
  const owner = (path: string): string => {
    const { uid, gid } = lstatSync(join(root, path));
    return `${uid}:${gid}`;
  };
  return sha256([treeDigest(root), ...[...pathsBelow(root)].map(owner)].join("\n"));
}

/** Names a file's content, mode and owner; not its time. */
export function contentOfFile(path: string): string {
  const { mode, uid, gid } = statSync(path);
  return sha256([sha256(readFileSync(path)), mode, uid, gid].join("\n"));
}
