import { lstatSync, readlinkSync } from "node:fs";
import { chmod, lchown, mkdir, utimes } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { TgoError } from "@tgo/errors";

/**
 * Directories that exist only because something was put below them, and those whose time changed by it, get this
 * time: so that the same files make the same layer whatever base they are put on, and whenever. 1980, because
 * zip files know no earlier year.
 */
export const FIXED_TIME = 315_532_800;

/** An absolute path from one that may be relative to `base`; `..` cannot leave the root. */
export function absolute(path: string, base = "/"): string {
  return posix.resolve("/", base, path);
}

/**
 * Where a path of a container really is below `root`: symbolic links are followed as a process inside would, so
 * an absolute one cannot lead to the host's files. The last part may be missing.
 * @param followLast false: a link at the end is the thing itself
 */
export function resolveIn(root: string, path: string, followLast = true): string {
  let todo = path.split("/").filter((part) => part !== "" && part !== ".");
  let at = "/";
  for (let hops = 0; todo.length > 0;) {
    const [part = "", ...rest] = todo;
    todo = rest;
    if (part === "..") {
      at = dirname(at);
      continue;
    }
    const next = posix.join(at, part);
    const stat = lstatSync(join(root, next), { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() && (followLast || rest.length > 0)) {
      if (++hops > 40) throw new TgoError("USAGE", "too many symbolic links", { where: path });
      const target = readlinkSync(join(root, next));
      if (target.startsWith("/")) at = "/";
      todo = [...target.split("/").filter((p) => p !== "" && p !== "."), ...rest];
      continue;
    }
    at = next;
  }
  return join(root, at);
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Makes the directories above and including `path` (below root), new ones with mode 0755. */
export async function makeDirectories(root: string, path: string, owner?: Owner): Promise<string> {
  const real = resolveIn(root, path);
  let at = root;
  for (const part of real.slice(root.length).split("/").filter(Boolean)) {
    at = join(at, part);
    if (lstatSync(at, { throwIfNoEntry: false })?.isDirectory()) continue;
    await mkdir(at);
    await chmod(at, 0o755);
    if (owner) await lchown(at, owner.uid, owner.gid);
  }
  return real;
}

/** Gives `path` and what is above it, up to the root, the fixed time. */
export async function stampUp(root: string, path: string): Promise<void> {
  for (let at = path; at.length > root.length; at = dirname(at)) await utimes(at, FIXED_TIME, FIXED_TIME);
}
