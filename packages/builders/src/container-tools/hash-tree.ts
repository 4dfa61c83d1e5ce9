import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

export interface HashTreeInput {
  readonly root: string;
}

export interface TreeReport {
  /** SHA-256 over the path, type, owner's executable bit and content of every entry, in path order; hexadecimal. */
  readonly hash: string;
  readonly files: number;
  /** Total size of the files in bytes. */
  readonly bytes: number;
}

/**
 * Hashes the content of a source tree. Times, owners and other modes of a checkout have no influence.
 * @param onEntry called with the path and the SHA-256 of each file's content or link's target
 */
export async function hashTree(
  { root }: HashTreeInput,
  onEntry?: (path: string, sha256: string) => Promise<void>,
): Promise<TreeReport> {
  const hash = createHash("sha256");
  let files = 0;
  let bytes = 0;
  const visit = async (path: string): Promise<void> => {
    const names = (await readdir(join(root, path))).sort();
    for (const name of names) {
      const entry = path === "" ? name : `${path}/${name}`;
      const absolute = join(root, entry);
      const info = await lstat(absolute);
      if (info.isSymbolicLink()) {
        const target = await readlink(absolute);
        hash.update(`link\0${entry}\0${target}\0`);
        await onEntry?.(absolute, createHash("sha256").update(target).digest("hex"));
      } else if (info.isDirectory()) {
        hash.update(`directory\0${entry}\0`);
        await visit(entry);
      } else if (info.isFile()) {
        const content = createHash("sha256");
        await pipeline(createReadStream(absolute), content);
        const sha256 = content.digest("hex");
        hash.update(`file\0${entry}\0${(info.mode & 0o100) === 0 ? "" : "x"}\0${sha256}\0`);
        await onEntry?.(absolute, sha256);
        files += 1;
        bytes += info.size;
      }
    }
  };
  await visit("");
  return { hash: hash.digest("hex"), files, bytes };
}
