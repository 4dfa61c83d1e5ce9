import { createHash } from "node:crypto";
import { constants, deflateRaw } from "node:zlib";
import { Deflate, Z_SYNC_FLUSH } from "pako";

/**
 * 100 MB of shared libraries become 32.4 MB in 2.0 s at level 6, and 32.5 MB in 1.4 s at level 5: 0.3 % for a third of the
 * time. Level 4 costs 2.4 %.
 */
const LEVEL = 5;

/** Deflates a block, and pads it to whole bytes so that blocks can follow each other. */
export type DeflateBlock = (block: Buffer) => Promise<Buffer>;

/** By Node's zlib, in its thread pool. */
export const deflateNatively: DeflateBlock = (block) =>
  new Promise((resolve, reject) => {
    const options = { level: LEVEL, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: 1 << 20 };
    deflateRaw(block, options, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });

/** By zlib in JavaScript, half as fast, on the main thread. */
export const deflatePortably: DeflateBlock = (block) => {
  const stream = new Deflate({ raw: true, level: LEVEL, chunkSize: 1 << 20 });
  const parts: Uint8Array[] = [];
  stream.onData = (part) => parts.push(part);
  if (!stream.push(block, Z_SYNC_FLUSH)) return Promise.reject(new Error(stream.msg));
  return Promise.resolve(Buffer.concat(parts));
};

/** The digest of {@link sample}, compressed by zlib's own code. */
const EXPECTED = "3402c7f229a2f8da6b6d5a6c3c7255c61801aacb7ac67ba4b8ff6d749d6f6d4b";

let native: Promise<boolean> | undefined;

/**
 * Deflates a block to what zlib's own code makes of it. Node may have been built with another one, such as zlib-ng, whose
 * bytes differ, from machine to machine too: a sample tells. Then JavaScript does the work.
 */
export const deflateBlock: DeflateBlock = async (block) =>
  (await (native ??= isReference(deflateNatively))) ? deflateNatively(block) : deflatePortably(block);

export async function isReference(deflate: DeflateBlock): Promise<boolean> {
  return (
    createHash("sha256")
      .update(await deflate(sample()))
      .digest("hex") === EXPECTED
  );
}

/** 256 KiB of words, numbers and noise, in which matches of all lengths and distances occur. */
export function sample(): Buffer {
  const bytes = Buffer.alloc(1 << 18);
  let seed = 1;
  const random = (below: number): number => {
    // https://en.wikipedia.org/wiki/Linear_congruential_generator, as in Numerical Recipes
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let at = 0; at < bytes.length;) {
    const length = 1 + random(random(8) === 0 ? 400 : 24);
    const from = random(5) === 0 ? undefined : Math.max(0, at - 1 - random(40_000));
    for (let index = 0; index < length && at < bytes.length; index++, at++) {
      bytes[at] =
        from === undefined || at === 0 ? random(random(2) === 0 ? 16 : 256) : (bytes[from + index] ?? 0);
    }
  }
  return bytes;
}
