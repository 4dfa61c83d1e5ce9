import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TgoError } from "@tgo/errors";
import { fuzz } from "../src/index.js";

let corpus = "";
beforeEach(() => {
  corpus = mkdtempSync(join(tmpdir(), "tgo-fuzz-"));
  writeFileSync(join(corpus, "one"), "FROM image");
});
afterEach(() => {
  rmSync(corpus, { recursive: true });
});

test("finds a parser that breaks, and says with which input", async () => {
  const parse = (input: Buffer): void => {
    if (input.includes("ONBUILD")) throw new TypeError("cannot read properties of undefined");
  };
  await expect(fuzz({ name: "words", corpus, words: ["ONBUILD"], parse })).rejects.toThrow(
    /words: it throws TypeError[^]*input: /,
  );
});

test("a file of the corpus that fails is named", async () => {
  writeFileSync(join(corpus, "found-0123"), "x");
  const parse = (input: Buffer): void => {
    if (input.length === 1) throw new RangeError("too short");
  };
  await expect(fuzz({ name: "cases", corpus, parse })).rejects.toThrow(/found-0123: it throws RangeError/);
});

test("declared errors pass, and a defect of ours is none", async () => {
  const throwing = (code: "USAGE" | "INTERNAL") => (): void => {
    throw new TgoError(code, "no");
  };
  await expect(fuzz({ name: "declared", corpus, parse: throwing("USAGE") })).resolves.toBeUndefined();
  await expect(fuzz({ name: "defect", corpus, parse: throwing("INTERNAL") })).rejects.toThrow("it throws");
});

test("an input that takes too much memory fails", async () => {
  const kept: Buffer[] = [];
  const parse = (): void => void kept.push(Buffer.alloc(300 * 1024 * 1024, 1));
  await expect(fuzz({ name: "memory", corpus, parse })).rejects.toThrow("bytes of memory for 10 bytes");
});
