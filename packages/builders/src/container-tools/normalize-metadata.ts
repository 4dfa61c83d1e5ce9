import { chmod, lutimes, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

export interface NormalizeInput {
  readonly root: string;
  /** Seconds since 1970. */
  readonly seconds: number;
}

/**
 * Sets one time on every entry under root; on links themselves, not on their targets. Modes depend only on the owner's
 * executable bit, because the other bits depend on the umask of the checkout.
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
