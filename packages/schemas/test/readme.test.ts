import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import * as v from "../src/index.js";

it("runs the README's example", async () => {
  const Port = v.strictObject({ port: v.wholeNumber(1, 65535) });
  const result = v.safeParse(Port, { port: "80", prot: 80 });
  const lines = result.issues?.map(v.describeIssue); // ["port: must be a number", "prot: unknown field"]

  expect(lines).toEqual(["port: must be a number", "prot: unknown field"]);
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
