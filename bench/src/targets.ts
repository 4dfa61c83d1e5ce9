import { peakMemoryOf, secondsOf, type ServiceResults } from "./results.js";
import type { Kind } from "./kinds.js";
import { ratio } from "./statistics.js";

export interface Verdict {
  readonly target: string;
  /** As it should be, in words. */
  readonly wanted: string;
  /** Undefined: not measured, or failed. */
  readonly seen: number | undefined;
  readonly unit: "times" | "percent" | "bytes";
  readonly met: boolean | undefined;
  /** The kind of build whose steps explain a miss. */
  readonly explainedBy: Kind | undefined;
}

interface Target {
  readonly name: string;
  readonly unit: Verdict["unit"];
  readonly bound: (
    service: ServiceResults,
  ) => { readonly most: number } | { readonly least: number } | undefined;
  readonly measure: (service: ServiceResults, platforms: Platforms) => number | undefined;
  /** "less than" rather than "at most". */
  readonly strict?: boolean;
  readonly explainedBy?: Kind;
}

export interface Platforms {
  readonly native: string;
  readonly foreign: string;
}

const MEBI = 1024 * 1024;

/** Of a registry's storage for both platforms over one, beyond the base. */
const STORED: Readonly<Record<string, number>> = { python: 1.4, "static-web": 1 };

const over =
  (kind: Kind, to: Kind) =>
  (service: ServiceResults): number | undefined =>
    ratio(secondsOf(service, kind)?.median, secondsOf(service, to)?.median);

const sizeOver =
  (which: keyof Platforms) =>
  ({ sizes }: ServiceResults, platforms: Platforms): number | undefined =>
    ratio(sizes.ours[platforms[which]]?.bytes, sizes.dockerfile[platforms[which]]?.bytes);

const withDockerfile =
  <T>(bound: T) =>
  ({ hasDockerfile }: ServiceResults): T | undefined =>
    hasDockerfile ? bound : undefined;

const TARGETS: readonly Target[] = [
  {
    name: "both platforms over one, cold",
    unit: "times",
    bound: () => ({ most: 1.1 }),
    measure: over("both", "one"),
    explainedBy: "both",
  },
  {
    name: "both platforms over the Dockerfile's native one, cold",
    unit: "times",
    bound: withDockerfile({ most: 1 }),
    strict: true,
    measure: over("both", "dockerfile"),
    explainedBy: "both",
  },
  {
    name: "the Dockerfile under emulation over ours, foreign platform alone",
    unit: "times",
    bound: withDockerfile({ least: 8 }),
    measure: over("emulated", "foreign"),
    explainedBy: "foreign",
  },
  {
    name: "an edit over a cold build, both platforms",
    unit: "percent",
    bound: () => ({ most: 0.25 }),
    measure: over("edit", "both"),
    explainedBy: "edit",
  },
  {
    name: "native image over the Dockerfile's, compressed",
    unit: "percent",
    bound: withDockerfile({ most: 1 }),
    measure: sizeOver("native"),
  },
  {
    name: "foreign image over the Dockerfile's, compressed",
    unit: "percent",
    bound: withDockerfile({ most: 1 }),
    measure: sizeOver("foreign"),
  },
  {
    name: "bytes stored for both platforms over one, beyond the base",
    unit: "times",
    bound: ({ strategy }) => (STORED[strategy] === undefined ? undefined : { most: STORED[strategy] }),
    measure: ({ sizes: { stored } }) => ratio(stored?.both, stored?.one),
  },
  {
    name: "peak memory of our own process",
    unit: "bytes",
    bound: () => ({ most: 200 * MEBI }),
    strict: true,
    measure: peakMemoryOf,
  },
];

/** What a service was to reach, and what it did. */
export function judge(service: ServiceResults, platforms: Platforms): Verdict[] {
  return TARGETS.flatMap(({ name, unit, bound, measure, strict = false, explainedBy }) => {
    const limit = bound(service);
    if (limit === undefined) return [];
    const seen = measure(service, platforms);
    const least = "least" in limit;
    const value = least ? limit.least : limit.most;
    const meets = (number: number): boolean =>
      least ? number >= value : strict ? number < value : shown(number, unit) <= value;
    return [
      {
        target: name,
        wanted: `${least ? "≥" : strict ? "<" : "≤"} ${format(value, unit)}`,
        seen,
        unit,
        met: seen === undefined ? undefined : meets(seen),
        explainedBy,
      },
    ];
  });
}

/** As precise as it is printed: what reads "1.00" is 1. */
function shown(value: number, unit: Verdict["unit"]): number {
  return unit === "bytes" ? value : Math.round(value * 1000) / 1000;
}

export function format(value: number, unit: Verdict["unit"]): string {
  switch (unit) {
    case "times":
      return `${value.toFixed(value >= 10 ? 1 : 2)} ×`;
    case "percent":
      return `${(value * 100).toFixed(1).replace(/\.0$/, "")} %`;
    case "bytes":
      return `${(value / MEBI).toFixed(0)} MiB`;
  }
}
