import {
  chmodSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  statSync,
  utimesSync,
  type Stats,
} from "node:fs";
import { join } from "node:path";
import { pathsBelow } from "./walk.js";

/** Whether a copy into `target` is a plain overlay merge: it follows no link and replaces no directory by a file or vice versa. */
export function isPlainMerge(
  source: string,
  target: string,
  selected: readonly string[] | undefined,
): boolean {
  if (!lstatSync(target, { throwIfNoEntry: false })) return true;
  for (const path of selected ?? pathsBelow(source)) {
    const existing = lstatSync(join(target, path), { throwIfNoEntry: false });
    if (existing && existing.isDirectory() !== lstatSync(join(source, path)).isDirectory()) return false;
  }
  return true;
}

/** Fills an empty directory with hard links to another one's files, in new directories. */
export function hardLinkTree(source: string, target: string, selected: readonly string[] | undefined): void {
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
  for (const [folder, { mtimeMs }] of folders.reverse()) {
    const seconds = Math.floor(mtimeMs / 1000);
    utimesSync(folder, seconds, seconds);
  }
}
