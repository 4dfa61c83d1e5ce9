/** The largest loader file that is read; the cache of a system with ten thousand libraries has 1 MB. */
export const MAX_LOADER_FILE = 4 * 1024 * 1024;

/**
 * Files that tell loaders where to look, by their path from the image's root: glibc's cache, also that of a glibc in a
 * directory of its own, and musl's list of directories. No loader reads ld.so.conf: ldconfig makes the cache of it.
 * @see https://man7.org/linux/man-pages/man8/ld.so.8.html and https://musl.libc.org/doc/1.1.24/manual.html
 */
export function isLoaderFile(path: string): boolean {
  return /\/etc\/(?:ld\.so\.cache|ld-musl-[^/]+\.path)$/.test(path);
}

const OLD_MAGIC = "ld.so-1.7.0\0";
const NEW_MAGIC = "glibc-ld.so.cache1.1";
/** glibc, sysdeps/generic/dl-cache.h: struct cache_file_new, file_entry_new. */
const [HEADER, ENTRY] = [48, 24];
const [OLD_HEADER, OLD_ENTRY] = [16, 12];

/**
 * Paths by library name of glibc's `ld.so.cache`, without those in glibc-hwcaps: not every machine has what they are
 * for. Undefined for anything that is not a cache of this format (glibc 2.2 and newer).
 */
export function readLoaderCache(cache: Buffer): ReadonlyMap<string, readonly string[]> | undefined {
  let start = 0;
  if (cache.toString("latin1", 0, OLD_MAGIC.length) === OLD_MAGIC && cache.length >= OLD_HEADER)
    start = Math.ceil((OLD_HEADER + cache.readUInt32LE(12) * OLD_ENTRY) / 8) * 8;
  if (cache.toString("latin1", start, start + NEW_MAGIC.length) !== NEW_MAGIC) return undefined;
  if (cache.length < start + HEADER) return undefined;
  const count = cache.readUInt32LE(start + NEW_MAGIC.length);
  if (start + HEADER + count * ENTRY > cache.length) return undefined;
  const paths = new Map<string, string[]>();
  for (let index = 0; index < count; index++) {
    const at = start + HEADER + index * ENTRY;
    if (cache.readBigUInt64LE(at + 16) !== 0n) continue;
    const name = stringAt(cache, start + cache.readUInt32LE(at + 4));
    const path = stringAt(cache, start + cache.readUInt32LE(at + 8));
    if (name === undefined || path === undefined) return undefined;
    const known = paths.get(name);
    if (known === undefined) paths.set(name, [path]);
    else known.push(path);
  }
  return paths;
}

function stringAt(cache: Buffer, at: number): string | undefined {
  const end = cache.indexOf(0, at);
  return at >= cache.length || end === -1 || end - at > 4096 ? undefined : cache.toString("utf8", at, end);
}

/** musl's directories: one a line, or separated by colons. */
export function readMuslPath(text: string): string[] {
  return text.split(/[:\n]/).filter((path) => path !== "");
}
