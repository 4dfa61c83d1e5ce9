import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { diagnose, type HostFacts } from "../src/index.js";

const facts: HostFacts = {
  tgo: { version: "1.2.3", node: "20.1.0" },
  engine: { kind: "dagger", why: "Docker is running", expected: "0.21.8", problems: [] },
  platforms: [],
  disk: { path: "/c", freeBytes: 50e9, services: 1 },
  catalog: { from: "the built-in catalog", services: 1 },
  credentials: { from: undefined },
  registries: [],
  mirrors: [],
  ca: { from: undefined, certificates: 0, expired: 0 },
  proxies: [],
  git: "git version 2.39.5",
};

it("runs the README's example", async () => {
  const rows = diagnose(facts);
  const isOk = rows.every(({ state }) => state !== "failed");

  expect(isOk).toBe(true);
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
