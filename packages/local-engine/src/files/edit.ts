import { lstatSync } from "node:fs";
import { chmod, lchown, lutimes, rm, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Attributes } from "./copy.js";
import { FIXED_TIME, makeDirectories, setFixedTimes } from "./make-directories.js";
import { resolveIn } from "./paths.js";
import { findOwner } from "./users.js";
import { sortedEntries } from "./walk.js";

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
  await setFixedTimes(root, target);
}

export async function makeDirectory(root: string, path: string, permissions: number): Promise<void> {
  const target = await makeDirectories(root, path);
  await chmod(target, permissions);
  await setFixedTimes(root, target);
}

export async function makeSymlink(root: string, target: string, path: string): Promise<void> {
  const link = resolveIn(root, path, false);
  await makeDirectories(root, dirname(link).slice(root.length));
  await symlink(target, link);
  await lutimes(link, FIXED_TIME, FIXED_TIME);
  await setFixedTimes(root, dirname(link));
}

/** Removes a path and everything below it; `*` in its last part matches any characters. A missing path is no error. */
export async function remove(root: string, path: string): Promise<void> {
  const folder = resolveIn(root, dirname(path));
  if (!lstatSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
  const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const pattern = new RegExp(`^${basename(path).split("*").map(literal).join("[^/]*")}$`);
  for (const entry of sortedEntries(folder))
    if (pattern.test(entry.name)) await rm(join(folder, entry.name), { recursive: true, force: true });
  await setFixedTimes(root, folder);
}
