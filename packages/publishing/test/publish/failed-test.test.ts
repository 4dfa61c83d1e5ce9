import { TgoError } from "@tgo/errors";
import { expect, it } from "vitest";
import { publishCandidate } from "../../src/publish/publish.js";
import { MemoryHarness } from "../release/memory-harness.js";

it("an image that fails its run is told once, writes no tag, and what its uploads left is a note", async () => {
  const harness = new MemoryHarness();
  const asked: string[] = [];
  const report = await publishCandidate(harness.context(), {
    ...harness.candidate("tgo-api", "1.2.3"),
    build: ({ targets, note }) => {
      asked.push(...targets.map(({ name }) => name));
      note("uploaded before the test failed: staging-1 in ghcr, which prune removes");
      return Promise.reject(new TgoError("SMOKE", "did not start", { where: "tgo-api linux/arm64" }));
    },
  });
  // Uploads begin to the registries that are waited for.
  expect(asked).toEqual(["ghcr", "dockerhub"]);
  expect(report).toMatchObject({
    state: "failed",
    problems: [{ code: "SMOKE", where: "tgo-api linux/arm64" }],
    notes: ["uploaded before the test failed: staging-1 in ghcr, which prune removes"],
  });
  expect(report.registries.map(({ state }) => state)).toEqual(["not started", "not started", "not started"]);
});
