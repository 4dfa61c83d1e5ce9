import { availableParallelism } from "node:os";
import { crc32 } from "node:zlib";
import pLimit from "p-limit";
import { deflateBlock } from "./deflate-block.js";

/** Bytes compressed independently of the others; smaller blocks compress worse (0.04 % at this size). */
export const BLOCK = 2 << 20;

/**
 * Names the bytes that this makes of an input. Layers compressed by another version of it are not used again: an image
 * must not depend on what an engine did before. Raise it with the digest in the test.
 */
export const GZIP_FORMAT = "gzip-2";

/** Blocks of one stream in memory. */
const AHEAD = 3;

/** Across all layers. */
const cores = pLimit(availableParallelism());

/** No name, time or system in the header. https://www.rfc-editor.org/rfc/rfc1952#section-2.3 */
const HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** Ends the deflate data: a last block without content. */
const END = Buffer.from([0x03, 0x00]);

/**
 * Compresses a stream to gzip on all cores, as `pigz` does: blocks of a fixed size, one after the other in a single member,
 * which every reader takes. The same input makes the same bytes on any machine.
 */
export async function* gzip(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const buffers = Array.from({ length: AHEAD }, () => Buffer.allocUnsafeSlow(BLOCK));
  const waiting: { readonly buffer: Buffer<ArrayBuffer>; readonly result: Promise<Buffer> }[] = [];
  let [checksum, total, filled] = [0, 0, 0];
  let buffer = buffers.pop();
  const start = (block: Buffer<ArrayBuffer>): void => {
    const content = block.subarray(0, filled);
    checksum = crc32(content, checksum);
    total += filled;
    filled = 0;
    const result = cores(() => deflateBlock(content));
    // Reported when its turn comes.
    result.catch(() => undefined);
    waiting.push({ buffer: block, result });
  };
  const next = async (): Promise<Buffer> => {
    const first = waiting.shift();
    if (first === undefined) throw new Error("no block is compressed");
    const compressed = await first.result;
    buffers.push(first.buffer);
    return compressed;
  };
  yield HEADER;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      if (buffer === undefined) {
        yield await next();
        buffer = buffers.pop();
        continue;
      }
      const copied = chunk.copy(buffer, filled, at);
      at += copied;
      filled += copied;
      if (filled < BLOCK) continue;
      start(buffer);
      buffer = buffers.pop();
    }
  }
  if (buffer !== undefined && filled > 0) start(buffer);
  while (waiting.length > 0) yield await next();
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(checksum, 0);
  trailer.writeUInt32LE(total % 2 ** 32, 4);
  yield Buffer.concat([END, trailer]);
}
