import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { render, type Report } from "../src/index.js";

it("runs the README's example", async () => {
  const report: Report = {
    command: "verify",
    ok: true,
    engine: undefined,
    durationMs: 65_000,
    services: [],
  };
  const text = await render(report, "text");

  expect(text.trim()).toBe("verify ok · after 1 min 05 s");
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
