import { lstatSync, type Stats } from "node:fs";
import { chmod, copyFile, lchown, rm, stat, utimes } from "node:fs/promises";
import { dirname } from "node:path";
import { runHostCommand } from "../host-command.js";
import { makeDirectories, setFixedTimes } from "./make-directories.js";
import { resolveIn } from "./paths.js";
import { treeLines } from "./tree-digest.js";
import { findOwner, type Owner } from "./users.js";

/** Attributes of copied files; those not set stay as in the source. */
export interface Attributes {
  /** `user:group`, by number or by name in the target's /etc/passwd and /etc/group; the group defaults to the user. */
  readonly owner?: string;
  /** Mode bits, for directories and files alike. */
  readonly permissions?: number;
  /** Seconds since 1970. */
  readonly timestamp?: number;
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
  await runHostCommand(["bash", "-c", PIPE, "copy", String(create.length), ...both], { input });
  if (!before) return setAttributes(root, target, await stat(source), owner, attributes);
  await lchown(target, before.uid, before.gid);
  await chmod(target, before.mode & 0o7777);
  await setFixedTimes(root, target);
}

const XATTRS = ["--xattrs", "--xattrs-include=security.capability"];
const EXTRACT = ["-xpf", "-", "--numeric-owner", "--keep-directory-symlink", ...XATTRS];
/** The first argument is the length of the command before the pipe. */
const PIPE = 'set -o pipefail; n=$1; shift; "${@:1:n}" | "${@:n+1}"';

/** Copies one file to `path`, or into it as `name` if it is a directory or ends with a slash. */
export async function copyOneFile(
  { path: source, name }: { readonly path: string; readonly name: string },
  root: string,
  path: string,
  attributes: Attributes,
): Promise<void> {
  const existing = lstatSync(resolveIn(root, path), { throwIfNoEntry: false });
  const target = resolveIn(root, path.endsWith("/") || existing?.isDirectory() ? `${path}/${name}` : path);
  const owner = findOwner(root, attributes.owner);
  await makeDirectories(root, dirname(target).slice(root.length), owner);
  await rm(target, { force: true });
  await copyFile(source, target);
  await setAttributes(root, target, await stat(source), owner, attributes);
}

/** Copies those files of `changed` that differ in `base`. */
export async function copyDifference(base: string, changed: string, root: string): Promise<void> {
  const known = new Set(treeLines(base));
  const different = treeLines(changed).filter((line) => !known.has(line));
  const paths = different.map((line) => line.slice(line.indexOf("/") + 1));
  await copyDirectory(changed, root, "/", paths);
}

/** Gives a copy its source's owner, mode and time, or the given ones. */
async function setAttributes(
  root: string,
  target: string,
  source: Stats,
  owner: Owner | undefined,
  { permissions, timestamp }: Attributes,
): Promise<void> {
  await lchown(target, owner?.uid ?? source.uid, owner?.gid ?? source.gid);
  await chmod(target, permissions ?? source.mode & 0o7777);
  await setFixedTimes(root, target);
  const time = timestamp ?? Math.floor(source.mtimeMs / 1000);
  if (target !== root) await utimes(target, time, time);
}
