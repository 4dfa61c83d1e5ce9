import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readInputFile, trustProblem } from "../src/index.js";

it("runs the README's example", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tgo-host-"));
  const path = join(folder, "file");
  await writeFile(path, "hello", { mode: 0o644 });
  const { bytes, stats } = await readInputFile(path, { maxBytes: 1 << 20 });
  const problem = await trustProblem(path, stats);
  const text = problem === undefined ? bytes.toString() : problem.reason;

  expect(text).toBe("hello");
  await rm(folder, { recursive: true });
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
