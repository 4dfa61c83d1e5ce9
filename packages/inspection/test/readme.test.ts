import { readFile } from "node:fs/promises";
import { BOTH_PLATFORMS, MemoryRegistry, stageImage } from "@tgo/testing";
import { expect, it } from "vitest";
import { readImageTrees } from "../src/index.js";

it("runs the README's example", async () => {
  const memory = new MemoryRegistry("ghcr.io");
  const registry = memory.client();
  const variants = BOTH_PLATFORMS.map((platform) => ({ platform }));
  await stageImage(registry, "t/app", "1.2.3", variants);

  const [tree] = await readImageTrees([{ registry, repository: "t/app", wanted: "1.2.3" }]);
  const platforms = tree?.platforms.map(({ platform, layers }) => `${platform}: ${layers.length} layers`);

  expect(platforms).toEqual(["linux/amd64: 2 layers", "linux/arm64: 2 layers"]);
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
