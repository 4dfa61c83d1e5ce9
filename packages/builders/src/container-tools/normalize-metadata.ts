import { chmod, lutimes, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface NormalizeInput {
  readonly root: string;
  /** Seconds since 1970. */
  readonly seconds: number;
}

/**
 * Gives every entry below root one time; links themselves, never what they point to. Of the modes only the owner's
 * executable bit stays: the others are those of whoever checked the source out.
 */
export async function normalizeMetadata({ root, seconds }: NormalizeInput): Promise<null> {
  const info = await lstat(root);
  if (info.isDirectory()) {
    for (const name of await readdir(root)) await normalizeMetadata({ root: join(root, name), seconds });
  }
  if (!info.isSymbolicLink())
    await chmod(root, info.isDirectory() || (info.mode & 0o100) !== 0 ? 0o755 : 0o644);
  await lutimes(root, seconds, seconds);
  return null;
}
