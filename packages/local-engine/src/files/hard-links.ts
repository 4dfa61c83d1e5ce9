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

/** A path below a directory, and where a hard link to it can start: its folders are made anew. */
export interface LinkSource {
  readonly path: string;
  readonly from: string;
  readonly info: Stats;
}

/**
 * Where the entries of a mounted directory come from.
 * @param layers the directory in each layer that has it, the lowest first
 */
export function linkSources(
  mounted: string,
  layers: readonly string[],
  selected: readonly string[] | undefined,
): LinkSource[] {
  const topFirst = [...layers].reverse();
  const [only] = topFirst;
  return [...(selected ?? pathsBelow(mounted))].map((path) => {
    const info = lstatSync(join(mounted, path));
    if (info.isDirectory()) return { path, from: join(mounted, path), info };
    // What is visible comes from the highest layer that has the path.
    const layer =
      layers.length === 1
        ? only
        : topFirst.find((each) => lstatSync(join(each, path), { throwIfNoEntry: false }));
    if (layer === undefined) throw new Error(`no layer has ${path}`);
    return { path, from: join(layer, path), info };
  });
}

/** Fills an empty directory with hard links to other ones' files, in new directories. */
export function hardLinkTree(sources: readonly LinkSource[], target: string): void {
  const folders: [string, Stats][] = [[target, statSync(target)]];
  for (const { path, from, info } of sources) {
    const to = join(target, path);
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
