import { expect, it } from "vitest";
import { Service } from "@tgo/catalog";
import { errorResponse, stageImage } from "@tgo/testing";
import { renderPrune, type PruneResult } from "@tgo/report";
import { prune } from "../../src/prune/prune.js";
import { publishCandidate } from "../../src/publish/publish.js";
import { MemoryHarness, NAMES } from "../release/memory-harness.js";

const service = Service.parse({ title: "A service", build: { strategy: "dockerfile" } });
const services = [{ name: "tgo-api", service }];
const FUTURE = new Date("2100-01-01T00:00:00Z");

/** One released version, and one candidate that nobody released. */
async function stocked(): Promise<{ harness: MemoryHarness; candidate: string }> {
  const harness = new MemoryHarness();
  await harness.release("1.2.3");
  const candidate = harness.candidate("tgo-api", "1.2.4");
  await publishCandidate(harness.healthy(), candidate);
  return { harness, candidate: `candidate-${candidate.key}` };
}

const run = (harness: MemoryHarness, remove: boolean): Promise<PruneResult[]> =>
  prune(harness.healthy(), services, { before: FUTURE, undated: true, remove });

it("Pruning lists what no version points to, and removes nothing unless told to", async () => {
  const { harness, candidate } = await stocked();
  const text = renderPrune(await run(harness, false), false, "text");
  expect(text).toMatch(new RegExp(`${candidate} +would be removed`));
  expect(text).toMatch(/candidate-[0-9a-f]{16} +kept +its image is also 1, 1\.2, 1\.2\.3, latest/);
  expect(text).toContain("Nothing was removed");
  expect(harness.held("ghcr", "tgo-api", candidate)).toBeDefined();
});

it("Pruning removes it when told to, in every registry, and leaves what is released", async () => {
  const { harness, candidate } = await stocked();
  const text = renderPrune(await run(harness, true), true, "text");
  expect(text).toMatch(new RegExp(`${candidate} +removed`));
  for (const name of NAMES) {
    expect(harness.held(name, "tgo-api", candidate)).toBeUndefined();
    expect(harness.held(name, "tgo-api", "1.2.3")).toBeDefined();
  }
  expect((await harness.release("1.2.3")).ok).toBe(true);
});

it("A registry that does not delete says so, and the others are pruned all the same", async () => {
  const { harness, candidate } = await stocked();
  harness.registries.ghcr.intercept = ({ method }) =>
    method === "DELETE" ? errorResponse(405, "UNSUPPORTED", "The operation is unsupported.") : undefined;
  const pruned = await run(harness, true);
  expect(pruned.map(({ registry, problem }) => [registry, problem?.code])).toEqual([
    ["ghcr", "DENIED"],
    ["dockerhub", undefined],
    ["acr", undefined],
  ]);
  expect(harness.held("dockerhub", "tgo-api", candidate)).toBeUndefined();
});

it("Of a release that is running, what the engine has uploaded stays, however old its base is", async () => {
  const { harness } = await stocked();
  const tag = `staging-${harness.candidate("tgo-api", "1.2.5").key}`;
  const variants = ["linux/amd64", "linux/arm64"].map((platform) => ({ platform }));
  await stageImage(harness.registries.ghcr.client(), "tgoai/tgo-api", tag, variants);
  const pruned = await prune(harness.healthy(), services, { before: FUTURE, remove: true });
  expect(harness.held("ghcr", "tgo-api", tag)).toBeDefined();
  expect(renderPrune(pruned, true, "text")).toMatch(new RegExp(`${tag} +kept +its candidate is missing`));
});

it("What nothing dates is kept, unless it is asked for", async () => {
  const { harness, candidate } = await stocked();
  const [first] = await prune(harness.healthy(), services, { before: FUTURE, remove: true });
  expect(first?.selection.remove).toEqual([]);
  expect(harness.held("ghcr", "tgo-api", candidate)).toBeDefined();
});
