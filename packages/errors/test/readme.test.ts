import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { TgoError, problemOf } from "../src/index.js";

it("runs the README's example", async () => {
  const error = new TgoError("NOT_FOUND", "no such tag", {
    where: "ghcr.io/tgoai/tgo-api:1.2.4",
    remedy: "Check the name: tags are case-sensitive.",
  });
  const problem = problemOf(error);

  expect(problem).toEqual({
    code: "NOT_FOUND",
    what: "no such tag",
    where: "ghcr.io/tgoai/tgo-api:1.2.4",
    remedy: "Check the name: tags are case-sensitive.",
  });
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
