import { copyFile, lstat, lutimes, mkdir, readdir, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { contentTime, epochSeconds, UNKNOWN_TIME } from "../source/times.js";
import { hashTree, type TreeReport } from "./hash-tree.js";
import { normalizeMetadata } from "./normalize-metadata.js";

export interface CopySourceInput {
  readonly from: string;
  /** A folder that does not exist. */
  readonly to: string;
}

/**
 * Copies a source into a new folder. Of the checkout only paths, contents, links and the owner's executable bits are left.
 * Modes are 0644 or 0755, the owner is who copies (root in a container), and there are no extended attributes, hard links,
 * pipes, sockets or devices. A file's time is derived from its own content: engines reuse the copy of a file with the same
 * content, whatever its time, and a web server's ETag of time and size still changes with the content.
 */
export async function copySource({ from, to }: CopySourceInput): Promise<TreeReport> {
  await copyTree(from, to);
  await normalizeMetadata({ root: to, seconds: epochSeconds(UNKNOWN_TIME) });
  return hashTree({ root: to }, async (path, sha256) => {
    const seconds = epochSeconds(contentTime(sha256));
    await lutimes(path, seconds, seconds);
  });
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  const copyEntry = async (name: string): Promise<void> => {
    const [source, target] = [join(from, name), join(to, name)];
    const info = await lstat(source);
    if (info.isDirectory()) await copyTree(source, target);
    else if (info.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (info.isFile()) await copyFile(source, target);
  };
  await Promise.all((await readdir(from)).map(copyEntry));
}
