import { readFile } from "node:fs/promises";
import { parse } from "@tgo/schemas";
import { expect, it } from "vitest";
import { parseVersion, planTags, TagPolicy } from "../src/index.js";

it("runs the README's example", async () => {
  const version = parseVersion("v1.2.3");
  const tags = planTags(version, parse(TagPolicy, { latest: false }), "tgo-api");

  expect(tags).toEqual({ version: "1.2.3", floating: ["1.2", "1"] });
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
