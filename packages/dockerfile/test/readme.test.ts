import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { imagesOf, parseDockerfile, parseStages } from "../src/index.js";

it("runs the README's example", async () => {
  const dockerfile =
    "FROM --platform=$BUILDPLATFORM node:20 AS pages\nFROM nginx:alpine\nCOPY --from=PAGES /a /a";
  const stages = parseStages(parseDockerfile(dockerfile), { BUILDPLATFORM: "linux/amd64" });
  const images = imagesOf(stages).map(({ image, platform }) => `${image} for ${platform ?? "the target"}`);

  expect(images).toEqual(["node:20 for linux/amd64", "nginx:alpine for the target"]);
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
