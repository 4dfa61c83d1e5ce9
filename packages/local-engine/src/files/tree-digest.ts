import { lstatSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "@tgo/registry";
import { textDigest } from "../store/keys.js";
import { pathsBelow } from "./walk.js";

/**
 * One line for each entry: type, mode, content digest or link target, path. Times and owners are left out, as in Dagger's
 * own content digest of a host directory.
 */
export function treeLines(root: string, selected?: readonly string[]): string[] {
  const lines: string[] = [];
  for (const path of selected ?? pathsBelow(root)) {
    const full = join(root, path);
    const info = lstatSync(full);
    const mode = (info.mode & 0o7777).toString(8);
    if (info.isSymbolicLink()) lines.push(`l - ${textDigest(readlinkSync(full))} /${path}`);
    else if (info.isDirectory()) lines.push(`d ${mode} - /${path}`);
    else if (info.isFile()) lines.push(`f ${mode} ${digestOf(readFileSync(full))} /${path}`);
  }
  return lines;
}

/** The digest of a directory's paths, modes and contents. */
export function treeDigest(root: string, selected?: readonly string[]): string {
  return textDigest(treeLines(root, selected).join("\n"));
}

/** The digest of a directory's paths, modes, contents and owners: everything in a layer but times. */
export function ownedTreeDigest(root: string): string {
  const owner = (path: string): string => {
    const { uid, gid } = lstatSync(join(root, path));
    return `${uid}:${gid}`;
  };
  return textDigest([treeDigest(root), ...[...pathsBelow(root)].map(owner)].join("\n"));
}

/** The digest of everything in a layer, whole seconds of files' times included. */
export function layerDigest(root: string): string {
  const time = (path: string): string => {
    const info = lstatSync(join(root, path));
    return info.isDirectory() ? "" : String(Math.floor(info.mtimeMs / 1000));
  };
  return textDigest([ownedTreeDigest(root), ...[...pathsBelow(root)].map(time)].join("\n"));
}

/** The digest of a file's content, mode and owner, without its time. */
export function fileDigest(path: string): string {
  const { mode, uid, gid } = statSync(path);
  return textDigest([digestOf(readFileSync(path)), mode, uid, gid].join("\n"));
}
