import { readFile } from "node:fs/promises";
import { MemoryRegistry, stageImage } from "@tgo/testing";
import { expect, it } from "vitest";
import { Registry, isIndex, parseReference } from "../src/index.js";

it("runs the README's example", async () => {
  const memory = new MemoryRegistry("ghcr.io", { auth: "private" });
  const { digest } = await stageImage(memory.client(), "tgoai/tgo-api", "1.2.4", [
    { platform: "linux/amd64" },
    { platform: "linux/arm64" },
  ]);
  const { fetch } = memory;

  const { host, repository, tag = "latest" } = parseReference("ghcr.io/tgoai/tgo-api:1.2.4");
  const registry = new Registry({ host, credentials: { username: "ci", password: "secret" }, fetch });
  const { descriptor, value } = await registry.manifest(repository, tag);
  const platforms = isIndex(value) ? value.manifests.map(({ platform }) => platform?.architecture) : [];

  expect([descriptor.digest, platforms]).toEqual([digest, ["amd64", "arm64"]]);
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
