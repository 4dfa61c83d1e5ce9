import { readFile } from "node:fs/promises";
import { parseVersion, TagPolicy } from "@tgo/release-rules";
import { parse } from "@tgo/schemas";
import { expect, it } from "vitest";
import { bringCandidate, releaseServices } from "../src/index.js";
import { MemoryHarness } from "./release/memory-harness.js";
import { NAMES } from "./release/release-subjects.js";

it("runs the README's example", async () => {
  const harness = new MemoryHarness();
  const context = harness.context();
  const candidate = harness.candidate("tgo-api", "1.2.3");
  const policy = parse(TagPolicy, {});

  const services = [{ service: "tgo-api", policy, bring: () => bringCandidate(context, candidate) }];
  const version = parseVersion("1.2.3");
  const released = await releaseServices(context, services, { version, allowBackwards: false, adopt: false });

  expect([released.ok, released.services.map(({ state }) => state)]).toEqual([true, ["released"]]);
  const { digest } = await harness.image("tgo-api", "1.2.3");
  expect(NAMES.map((name) => harness.digestAt(name, "tgo-api", "latest"))).toEqual(NAMES.map(() => digest));
  const [, example = "no example"] =
    /```ts\n(.*?)```/s.exec(await readFile(new URL("../README.md", import.meta.url), "utf8")) ?? [];
  const test = await readFile(new URL(import.meta.url), "utf8");
  expect(test.replaceAll(/^ {2}/gm, "")).toContain(example);
});
