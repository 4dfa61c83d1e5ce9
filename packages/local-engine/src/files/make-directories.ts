import { lstatSync, utimesSync } from "node:fs";
import { chmod, lchown, mkdir, utimes } from "node:fs/promises";
import { dirname, join } from "node:path";
import { resolveIn } from "./paths.js";
import type { Owner } from "./users.js";
import { sortedEntries } from "./walk.js";

/**
 * The time of directories that an edit makes or changes on its way to a path, so that the same files make the same layer on
 * every base, at any time. 1980, the earliest year in a zip file.
 */
export const FIXED_TIME = 315_532_800;

/** Makes the directory `path` (below root) and its parents; new ones have the owner and mode. */
export async function makeDirectories(
  root: string,
  path: string,
  owner?: Owner,
  mode = 0o755,
): Promise<string> {
  const real = resolveIn(root, path);
  let at = root;
  for (const part of real.slice(root.length).split("/").filter(Boolean)) {
    at = join(at, part);
    if (lstatSync(at, { throwIfNoEntry: false })?.isDirectory()) continue;
    await mkdir(at);
    await chmod(at, mode);
    if (owner) await lchown(at, owner.uid, owner.gid);
  }
  return real;
}

/** Sets the fixed time on `path` and its parents, without the root. */
export async function setFixedTimes(root: string, path: string): Promise<void> {
  for (let at = path; at.length > root.length; at = dirname(at)) await utimes(at, FIXED_TIME, FIXED_TIME);
}

/** Sets the fixed time on all directories below a folder. */
export function setAllFixedTimes(folder: string): void {
  for (const entry of sortedEntries(folder).filter((each) => each.isDirectory())) {
    setAllFixedTimes(join(folder, entry.name));
    utimesSync(join(folder, entry.name), FIXED_TIME, FIXED_TIME);
  }
}
