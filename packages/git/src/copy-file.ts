import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { MAX_POINTER } from "./lfs.js";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const CHUNK = Buffer.allocUnsafe(1 << 20);

/** A file that is written: with the same mode and time on every machine. */
export interface Target {
  readonly path: string;
  readonly executable: boolean;
  /** Seconds since 1970. */
  readonly time: number;
}

export interface Copied {
  /** Of {@link CopyOptions.hash}, hexadecimal. */
  readonly digest: string;
  readonly size: number;
  /** Whether the owner may execute the file that was read. */
  readonly executable: boolean;
  /** Its content, if it may be a pointer of git LFS. */
  readonly small?: Buffer;
}

export interface CopyOptions {
  readonly hash: "sha1" | "sha256";
  /** Hashed before the content. */
  readonly prefix?: (size: number) => string;
  readonly target?: Target | undefined;
  /** Called between chunks of large files. */
  readonly pause: () => Promise<void>;
}

/**
 * Reads a file once, hashes what it reads, and writes the same bytes to the target.
 * @returns undefined if it is not a regular file, or changed meanwhile
 */
export async function copyFile(source: string, options: CopyOptions): Promise<Copied | undefined> {
  let from: number;
  try {
    from = openSync(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    // A link, a socket, or gone.
    if (["ELOOP", "ENXIO", "ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
  try {
    const info = fstatSync(from);
    if (!info.isFile()) return undefined;
    const hash = createHash(options.hash).update(options.prefix?.(info.size) ?? "");
    const size = await pump(from, hash, options);
    if (size !== info.size) return undefined;
    const small = size <= MAX_POINTER ? { small: Buffer.from(CHUNK.subarray(0, size)) } : {};
    return { digest: hash.digest("hex"), size, executable: (info.mode & 0o100) !== 0, ...small };
  } finally {
    closeSync(from);
  }
}

async function pump(from: number, hash: Hash, { target, pause }: CopyOptions): Promise<number> {
  const to = target === undefined ? undefined : openTarget(target.path);
  let size = 0;
  try {
    for (;;) {
      const count = readSync(from, CHUNK, 0, CHUNK.length, null);
      if (count === 0) break;
      const chunk = CHUNK.subarray(0, count);
      hash.update(chunk);
      if (to !== undefined) writeAll(to, chunk);
      size += count;
      if (count === CHUNK.length) await pause();
    }
    if (to !== undefined && target !== undefined) finish(to, target);
  } finally {
    if (to !== undefined) closeSync(to);
  }
  return size;
}

/** Writes a file of the export. */
export function writeTarget(target: Target, content: Uint8Array): void {
  const to = openTarget(target.path);
  try {
    writeAll(to, content);
    finish(to, target);
  } finally {
    closeSync(to);
  }
}

/** Removes a file of the export whose content turned out to differ from the commit's. */
export function removeTarget(target: Target | undefined): void {
  if (target !== undefined) rmSync(target.path, { force: true });
}

/** Exclusive: two names of the commit that are one on this file system must not overwrite each other. */
function openTarget(path: string): number {
  return openSync(path, "wx", 0o600);
}

function finish(to: number, { executable, time }: Target): void {
  fchmodSync(to, executable ? 0o755 : 0o644);
  futimesSync(to, time, time);
}

function writeAll(to: number, content: Uint8Array): void {
  for (let at = 0; at < content.length;) at += writeSync(to, content, at);
}
