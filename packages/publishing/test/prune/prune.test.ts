import { expect, it } from "vitest";
import { Service } from "@tgo/catalog";
import { errorResponse, stageImage } from "@tgo/testing";
import { renderPrune, type PruneResult } from "@tgo/report";
import { prune } from "../../src/prune/prune.js";
import { publishCandidate } from "../../src/publish/publish.js";
import { MemoryHarness } from "../release/memory-harness.js";
import { NAMES } from "../release/release-subjects.js";

const service = Service.parse({ title: "A service", build: { strategy: "dockerfile" } });
const services = [{ name: "tgo-api", service }];
const FUTURE = new Date("2100-01-01T00:00:00Z");

/** A released version, and a candidate that is not released. */
async function withCandidate(): Promise<{ harness: MemoryHarness; candidate: string }> {
  const harness = new MemoryHarness();
  await harness.release("1.2.3");
  const candidate = harness.candidate("tgo-api", "1.2.4");
  await publishCandidate(harness.context(), candidate);
  return { harness, candidate: `candidate-${candidate.key}` };
}

const run = (harness: MemoryHarness, remove: boolean): Promise<PruneResult[]> =>
  prune(harness.context(), services, { before: FUTURE, undated: true, remove });

it("prune lists unreleased candidates and removes nothing by default", async () => {
  const { harness, candidate } = await withCandidate();
  const text = renderPrune(await run(harness, false), false, "text");
  expect(text).toMatch(new RegExp(`${candidate} +would be removed`));
  expect(text).toMatch(/candidate-[0-9a-f]{16} +kept +its image is also 1, 1\.2, 1\.2\.3, latest/);
  expect(text).toContain("Nothing was removed");
  expect(harness.digestAt("ghcr", "tgo-api", candidate)).toBeDefined();
});

it("prune --remove removes them from every registry and leaves released images", async () => {
  const { harness, candidate } = await withCandidate();
  const text = renderPrune(await run(harness, true), true, "text");
  expect(text).toMatch(new RegExp(`${candidate} +removed`));
  for (const name of NAMES) {
    expect(harness.digestAt(name, "tgo-api", candidate)).toBeUndefined();
    expect(harness.digestAt(name, "tgo-api", "1.2.3")).toBeDefined();
  }
  expect((await harness.release("1.2.3")).ok).toBe(true);
});

it("A registry that refuses to delete is reported, and the others are pruned", async () => {
  const { harness, candidate } = await withCandidate();
  harness.registries.ghcr.intercept = ({ method }) =>
    method === "DELETE" ? errorResponse(405, "UNSUPPORTED", "The operation is unsupported.") : undefined;
  const pruned = await run(harness, true);
  expect(pruned.map(({ registry, problem }) => [registry, problem?.code])).toEqual([
    ["ghcr", "DENIED"],
    ["dockerhub", undefined],
    ["acr", undefined],
  ]);
  expect(harness.digestAt("dockerhub", "tgo-api", candidate)).toBeUndefined();
});

it("prune keeps the staging tags of a running release, however old their base image is", async () => {
  const { harness } = await withCandidate();
  const tag = `staging-${harness.candidate("tgo-api", "1.2.5").key}`;
  const variants = ["linux/amd64", "linux/arm64"].map((platform) => ({ platform }));
  await stageImage(harness.registries.ghcr.client(), "tgoai/tgo-api", tag, variants);
  const pruned = await prune(harness.context(), services, { before: FUTURE, remove: true });
  expect(harness.digestAt("ghcr", "tgo-api", tag)).toBeDefined();
  expect(renderPrune(pruned, true, "text")).toMatch(new RegExp(`${tag} +kept +its candidate is missing`));
});

it("prune keeps images without a date unless told otherwise", async () => {
  const { harness, candidate } = await withCandidate();
  const [first] = await prune(harness.context(), services, { before: FUTURE, remove: true });
  expect(first?.selection.remove).toEqual([]);
  expect(harness.digestAt("ghcr", "tgo-api", candidate)).toBeDefined();
});
