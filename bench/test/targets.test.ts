import { describe, expect, it } from "vitest";
import { missesOf } from "../src/missed.js";
import { judge } from "../src/targets.js";
import { PLATFORMS, results, runs, service } from "./fixture.js";

const MEBI = 1024 * 1024;

function missed(change: Parameters<typeof service>[0]): string[] {
  return judge(service(change), PLATFORMS)
    .filter(({ met }) => met === false)
    .map(({ target }) => target);
}

function withRuns(...changed: ReturnType<typeof runs>): Parameters<typeof service>[0] {
  const kinds = new Set(changed.map(({ kind }) => kind));
  return { runs: [...service().runs.filter(({ kind }) => !kinds.has(kind)), ...changed] };
}

describe("targets", () => {
  it("are all met by a service that reaches them", () => {
    const verdicts = judge(service(), PLATFORMS);
    expect(verdicts.filter(({ met }) => met !== true)).toEqual([]);
    expect(verdicts).toHaveLength(8);
  });

  it.each([
    ["both platforms over one, cold", withRuns(...runs("both", 23))],
    ["both platforms over the Dockerfile's native one, cold", withRuns(...runs("dockerfile", 21))],
    ["the Dockerfile under emulation over ours, foreign platform alone", withRuns(...runs("emulated", 159))],
    ["an edit over a cold build, both platforms", withRuns(...runs("edit", 6))],
    [
      "bytes stored for both platforms over one, beyond the base",
      { sizes: { ...service().sizes, stored: { one: 30 * MEBI, both: 43 * MEBI } } },
    ],
    [
      "peak memory of our own process",
      withRuns({ kind: "warm", round: 1, seconds: 1, peakMemory: 200 * MEBI, steps: [] }),
    ],
  ] as const)("notice a miss of: %s", (target, change) => {
    expect(missed(change)).toEqual([target]);
  });

  it("take what reads 1.10 as 1.10", () => {
    expect(missed(withRuns(...runs("both", 22.004)))).toEqual([]);
  });

  it("count the memory that the push needed, but not that of a Dockerfile's build", () => {
    const pushed = { kind: "both", round: 1, seconds: 21, peakMemory: MEBI, steps: [] } as const;
    expect(missed(withRuns({ ...pushed, peakMemoryPushed: 300 * MEBI }))).toEqual([
      "peak memory of our own process",
    ]);
    expect(missed(withRuns({ ...pushed, kind: "dockerfile", seconds: 60, peakMemory: 300 * MEBI }))).toEqual(
      [],
    );
  });

  it("that could not be measured are neither met nor missed", () => {
    const verdicts = judge(service({ runs: [], sizes: { ours: {}, dockerfile: {} } }), PLATFORMS);
    expect(verdicts.map(({ met }) => met)).toEqual(verdicts.map(() => undefined));
  });

  it("about Dockerfiles are not asked of a service without one", () => {
    const verdicts = judge(service({ hasDockerfile: false }), PLATFORMS);
    expect(verdicts.filter(({ target }) => target.includes("Dockerfile"))).toEqual([]);
  });

  it("allow pages nothing beyond what one platform stores", () => {
    const stored = { one: 30 * MEBI, both: 31 * MEBI };
    const pages = { strategy: "static-web", sizes: { ...service().sizes, stored } };
    expect(missed(pages)).toEqual(["bytes stored for both platforms over one, beyond the base"]);
  });
});

describe("a missed target", () => {
  it("is told with the longest steps of the build in question", () => {
    const [miss] = missesOf(results(service(withRuns(...runs("both", 30)))));
    expect(miss?.text).toBe(
      "both platforms over one, cold: 1.50 × (target ≤ 1.10 ×); both platforms, cold took 30.0 s",
    );
    expect(miss?.steps).toEqual(["15.0 s, from 0.0 s: exec linux/amd64 pip install"]);
  });
});
