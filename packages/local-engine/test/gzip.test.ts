import { createHash } from "node:crypto";
import { constants, deflateRawSync, gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { deflateNatively, deflatePortably, isReference, sample } from "../src/images/deflate-block.js";
import { BLOCK, gzip, GZIP_FORMAT } from "../src/images/gzip.js";

async function compress(content: Buffer, chunk = 100_000): Promise<Buffer> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < content.length; at += chunk)
      yield await Promise.resolve(content.subarray(at, at + chunk));
  }
  const parts: Buffer[] = [];
  for await (const part of gzip(chunks())) parts.push(part);
  return Buffer.concat(parts);
}

/** Larger than all blocks that are in memory at once. */
const large = Buffer.concat(
  Array.from({ length: 40 }, (_, index) => [Buffer.from(`${index}`), sample()]).flat(),
);

describe("gzip", () => {
  it.each([
    ["nothing", Buffer.alloc(0)],
    ["one byte", Buffer.from("x")],
    ["exactly one block", Buffer.alloc(BLOCK, "block ")],
    ["one block and a byte", Buffer.alloc(BLOCK + 1, "block ")],
    ["more blocks than are in memory at once", large],
  ])("compresses %s to one member that gunzip reads", async (_, content) => {
    const compressed = await compress(content);
    expect(gunzipSync(compressed).equals(content)).toBe(true);
    expect(compressed.subarray(0, 10).toString("hex")).toBe("1f8b08000000000000ff");
  });

  it("makes the same bytes however the input arrives", async () => {
    const whole = await compress(large, large.length);
    expect((await compress(large, 4096)).equals(whole)).toBe(true);
  });

  it("makes these bytes on every machine", async () => {
    const digest = createHash("sha256")
      .update(await compress(large))
      .digest("hex");
    expect([GZIP_FORMAT, digest]).toEqual([
      "gzip-2",
      "ce9f1e11508c027e76df261a206e7a5e29c70ad54926d026920c9062e964d280",
    ]);
  });
});

describe("deflating a block", () => {
  it("is the same by Node's zlib and in JavaScript", async () => {
    expect(await isReference(deflateNatively)).toBe(true);
    expect(await isReference(deflatePortably)).toBe(true);
    for (const block of [large.subarray(7, BLOCK + 7), Buffer.alloc(BLOCK), Buffer.from("x")])
      expect((await deflatePortably(block)).equals(await deflateNatively(block))).toBe(true);
  });

  it("notices a zlib that compresses otherwise", async () => {
    const other = (block: Buffer): Promise<Buffer> =>
      Promise.resolve(deflateRawSync(block, { level: 6, finishFlush: constants.Z_SYNC_FLUSH }));
    expect(await isReference(other)).toBe(false);
  });
});
