import { describe, expect, it } from "vitest";
import { missesOf } from "../src/misses.js";
import { evaluateTargets } from "../src/targets.js";
import { PLATFORMS, results, runs, service } from "./fixture.js";

const MEBI = 1024 * 1024;

function missed(change: Parameters<typeof service>[0]): string[] {
  return evaluateTargets(service(change), PLATFORMS)
    .filter(({ met }) => met === false)
    .map(({ target }) => target);
}

function withRuns(...changed: ReturnType<typeof runs>): Parameters<typeof service>[0] {
  const kinds = new Set(changed.map(({ kind }) => kind));
  return { runs: [...service().runs.filter(({ kind }) => !kinds.has(kind)), ...changed] };
}

describe("targets", () => {
  it("are all met by a service within its limits", () => {
    const targets = evaluateTargets(service(), PLATFORMS);
    expect(targets.filter(({ met }) => met !== true)).toEqual([]);
    expect(targets).toHaveLength(8);
  });

  it.each([
    ["both platforms vs. one, cold", withRuns(...runs("both", 23))],
    ["both platforms vs. the Dockerfile's native one, cold", withRuns(...runs("dockerfile", 21))],
    ["speedup over the emulated Dockerfile, foreign platform alone", withRuns(...runs("emulated", 159))],
    ["edit vs. cold build, both platforms", withRuns(...runs("edit", 6))],
    [
      "bytes stored for both platforms vs. one, beyond the base",
      { sizes: { ...service().sizes, stored: { one: 30 * MEBI, both: 43 * MEBI } } },
    ],
    [
      "peak memory of our own process",
      withRuns({ kind: "warm", round: 1, seconds: 1, peakMemory: 200 * MEBI, steps: [] }),
    ],
  ] as const)("detect a miss of: %s", (target, change) => {
    expect(missed(change)).toEqual([target]);
  });

  it("compare values as printed: 1.10 is 1.10", () => {
    expect(missed(withRuns(...runs("both", 22.004)))).toEqual([]);
  });

  it("count the memory of the push, but not that of a Dockerfile's build", () => {
    const pushed = { kind: "both", round: 1, seconds: 21, peakMemory: MEBI, steps: [] } as const;
    expect(missed(withRuns({ ...pushed, peakMemoryPushed: 300 * MEBI }))).toEqual([
      "peak memory of our own process",
    ]);
    expect(missed(withRuns({ ...pushed, kind: "dockerfile", seconds: 60, peakMemory: 300 * MEBI }))).toEqual(
      [],
    );
  });

  it("without a measurement are neither met nor missed", () => {
    const targets = evaluateTargets(service({ runs: [], sizes: { ours: {}, dockerfile: {} } }), PLATFORMS);
    expect(targets.map(({ met }) => met)).toEqual(targets.map(() => undefined));
  });

  it("for Dockerfiles do not apply to a service without one", () => {
    const targets = evaluateTargets(service({ hasDockerfile: false }), PLATFORMS);
    expect(targets.filter(({ target }) => target.includes("Dockerfile"))).toEqual([]);
  });

  it("allow static pages no more than what one platform stores", () => {
    const stored = { one: 30 * MEBI, both: 31 * MEBI };
    const pages = { strategy: "static-web", sizes: { ...service().sizes, stored } };
    expect(missed(pages)).toEqual(["bytes stored for both platforms vs. one, beyond the base"]);
  });
});

describe("a missed target", () => {
  it("is shown with the longest steps of that build", () => {
    const [miss] = missesOf(results(service(withRuns(...runs("both", 30)))));
    expect(miss?.text).toBe(
      "both platforms vs. one, cold: 1.50 × (target ≤ 1.10 ×); both platforms, cold took 30.0 s",
    );
    expect(miss?.steps).toEqual(["15.0 s, from 0.0 s: exec linux/amd64 pip install"]);
  });
});
