import { lstatSync } from "node:fs";
import { chmod, lchown, mkdir, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { resolveIn } from "./paths.js";
import type { Owner } from "./users.js";

/**
 * The time of directories that an edit makes or changes on its way to a path, so that the same files make the same layer on
 * every base, at any time. 1980, the earliest year in a zip file.
 */
export const FIXED_TIME = 315_532_800;

/** Makes the directory `path` (below root) and its parents; new ones have mode 0755. */
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

/** Sets the fixed time on `path` and its parents, without the root. */
export async function setFixedTimes(root: string, path: string): Promise<void> {
  for (let at = path; at.length > root.length; at = dirname(at)) await utimes(at, FIXED_TIME, FIXED_TIME);
}
