import { describe, expect, it } from "vitest";
import { plot, ticksTo } from "../src/plot.js";
import { results, runs, service } from "./fixture.js";

function widths(svg: string, colour: string): number[] {
  const bars = new RegExp(`width="([\\d.]+)" height="14" rx="2" fill="${colour}"`, "g");
  return [...svg.matchAll(bars)].map(([, width]) => Number(width));
}

describe("the plot", () => {
  it("draws each bar in proportion to its median, within a panel", () => {
    const svg = plot(results(service({ runs: [...runs("one", 10), ...runs("both", 20)] })));
    const [one = 0] = widths(svg, "#2f81c9");
    const [both = 0] = widths(svg, "#3fa66b");
    expect(both / one).toBeCloseTo(2, 1);
  });

  it("labels every bar with its seconds and every group with its service", () => {
    const svg = plot(results(service(), service({ service: "pages" })));
    for (const label of [">shop<", ">pages<", ">20.0 s<", ">21.0 s<", ">60.0 s<", ">240.0 s<"]) {
      expect(svg).toContain(label);
    }
  });

  it("draws whole publishes of services that were published, without a builds' row for them", () => {
    const run = { code: "after", kind: "both", commit: "c", machine: "m", processorSeconds: 1 } as const;
    const publishes = {
      ...{ commands: [], commits: {}, machine: "", date: "", engine: "local" as const },
      runs: [30, 10, 20].map((seconds) => ({ ...run, service: "shop-api", seconds })),
    };
    const svg = plot(results(service()), publishes);
    expect(svg).toContain("Whole publishes");
    expect(svg.match(/>shop-api</g)).toHaveLength(1);
    expect(svg).toContain(">20.0 s<");
    // Before, one platform, and the Dockerfile.
    expect(svg.match(/not measured/g)).toHaveLength(3);
  });

  it("labels missing measurements", () => {
    expect(plot(results(service({ runs: runs("one", 10) })))).toContain("not measured");
  });

  it("stays inside its frame", () => {
    const svg = plot(results(service()));
    const height = Number(/height="(\d+)" role/.exec(svg)?.[1]);
    const lowest = Math.max(...[...svg.matchAll(/ y="([\d.]+)"/g)].map(([, y]) => Number(y)));
    expect(lowest).toBeLessThan(height);
  });

  it("escapes names", () => {
    const svg = plot(results(service({ service: "a<b&c" })));
    expect(svg).toContain("a&lt;b&amp;c");
    expect(svg).not.toContain("a<b");
  });
});

describe("the scale", () => {
  it.each([
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [33, [0, 5, 10, 15, 20, 25, 30, 35]],
    [240, [0, 50, 100, 150, 200, 250]],
  ])("to %d has round steps and ends at or above it", (most, ticks) => {
    expect(ticksTo(most)).toEqual(ticks);
  });
});
