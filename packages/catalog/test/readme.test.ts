import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { applyOverride } from "../src/index.js";

it("runs the README's example", async () => {
  const services = { "tgo-api": { title: "API", build: { strategy: "python" } } };
  const catalog = applyOverride({ services }, { registries: { acr: null } });
  const registries = Object.keys(catalog.registries);

  expect(registries).toEqual(["ghcr", "dockerhub"]);
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
