import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { exportCommit } from "../src/index.js";
import { Place } from "./support/repository.js";

it("runs the README's example", async () => {
  const place = new Place();
  try {
    const head = place.repository("repo", { "main.py": "1" });
    const folder = place.path("repo");
    const { folders } = place;
    const { revision, directory, differences } = await exportCommit({
      ...{ folder, paths: [""], skip: new Set([".git"]) },
      folders,
    });

    expect([revision, differences]).toEqual([head, []]);
    expect(readFileSync(`${directory}/main.py`, "utf8")).toBe("1");
  } finally {
    await place.remove();
  }
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(readFileSync(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = readFileSync(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {4}/gm, "")).toContain(example);
});
