import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { formatEvent, Progress } from "../src/index.js";

const build = (): Promise<number> => Promise.resolve(3);

it("runs the README's example", async () => {
  const lines: string[] = [];
  const progress = new Progress((event) => lines.push(formatEvent(event)));
  await progress.step({ step: "build", service: "tgo-api" }, build, (size) => ({
    detail: `${size} files`,
  }));

  expect(lines).toEqual([
    "tgo-api build ...",
    expect.stringMatching(/^tgo-api build done \(.* s\): 3 files$/),
  ]);
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
