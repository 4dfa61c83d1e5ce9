import { readFile } from "node:fs/promises";
import type { Client } from "@dagger.io/dagger";
import { expect, it } from "vitest";
import { Pipelines } from "../src/index.js";

it("runs the README's example", async () => {
  // A plan needs no engine.
  const client = {} as unknown as Client;
  const catalog = { services: { "tgo-api": { title: "API", build: { strategy: "python" } } } };

  const product = { catalog, pipeline: "0123456789abcdef", buildHash: "fedcba9876543210" };
  const pipelines = new Pipelines(client, product, { platform: ["linux/arm64"] });
  const text = await pipelines.plan(["tgo-api"], "markdown");

  expect(text).toContain("built by python for linux/arm64");
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
