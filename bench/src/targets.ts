import { peakMemoryOf, secondsOf, type ServiceResults } from "./results.js";
import type { Kind } from "./kinds.js";
import { ratio } from "./statistics.js";

export interface TargetResult {
  readonly target: string;
  /** Such as "≤ 1.10 ×". */
  readonly bound: string;
  /** Undefined: not measured, or failed. */
  readonly value: number | undefined;
  readonly unit: "times" | "percent" | "bytes";
  readonly met: boolean | undefined;
  /** The kind of build whose steps explain a miss. */
  readonly explainedBy: Kind | undefined;
}

interface Target {
  readonly name: string;
  readonly unit: TargetResult["unit"];
  readonly bound: (
    service: ServiceResults,
  ) => { readonly most: number } | { readonly least: number } | undefined;
  readonly measure: (service: ServiceResults, platforms: Platforms) => number | undefined;
  /** "Less than" instead of "at most". */
  readonly strict?: boolean;
  readonly explainedBy?: Kind;
}

export interface Platforms {
  readonly native: string;
  readonly foreign: string;
}

const MEBI = 1024 * 1024;

/** Maximum ratio of stored bytes, both platforms vs. one, beyond the base. */
const MAX_STORED: Readonly<Record<string, number>> = { python: 1.4, "static-web": 1 };

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
    name: "both platforms vs. one, cold",
    unit: "times",
    bound: () => ({ most: 1.1 }),
    measure: over("both", "one"),
    explainedBy: "both",
  },
  {
    name: "both platforms vs. the Dockerfile's native one, cold",
    unit: "times",
    bound: withDockerfile({ most: 1 }),
    strict: true,
    measure: over("both", "dockerfile"),
    explainedBy: "both",
  },
  {
    name: "speedup over the emulated Dockerfile, foreign platform alone",
    unit: "times",
    bound: withDockerfile({ least: 8 }),
    measure: over("emulated", "foreign"),
    explainedBy: "foreign",
  },
  {
    name: "edit vs. cold build, both platforms",
    unit: "percent",
    bound: () => ({ most: 0.25 }),
    measure: over("edit", "both"),
    explainedBy: "edit",
  },
  {
    name: "native image vs. the Dockerfile's, compressed",
    unit: "percent",
    bound: withDockerfile({ most: 1 }),
    measure: sizeOver("native"),
  },
  {
    name: "foreign image vs. the Dockerfile's, compressed",
    unit: "percent",
    bound: withDockerfile({ most: 1 }),
    measure: sizeOver("foreign"),
  },
  {
    name: "bytes stored for both platforms vs. one, beyond the base",
    unit: "times",
    bound: ({ strategy }) =>
      MAX_STORED[strategy] === undefined ? undefined : { most: MAX_STORED[strategy] },
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

/** Compares a service's measurements with its targets. */
export function evaluateTargets(service: ServiceResults, platforms: Platforms): TargetResult[] {
  return TARGETS.flatMap(({ name, unit, bound, measure, strict = false, explainedBy }) => {
    const limit = bound(service);
    if (limit === undefined) return [];
    const value = measure(service, platforms);
    const least = "least" in limit;
    const limitValue = least ? limit.least : limit.most;
    const meets = (number: number): boolean =>
      least ? number >= limitValue : strict ? number < limitValue : asPrinted(number, unit) <= limitValue;
    return [
      {
        target: name,
        bound: `${least ? "≥" : strict ? "<" : "≤"} ${format(limitValue, unit)}`,
        value,
        unit,
        met: value === undefined ? undefined : meets(value),
        explainedBy,
      },
    ];
  });
}

/** Rounded as in the tables: what prints as "1.00" counts as 1. */
function asPrinted(value: number, unit: TargetResult["unit"]): number {
  return unit === "bytes" ? value : Math.round(value * 1000) / 1000;
}

export function format(value: number, unit: TargetResult["unit"]): string {
  switch (unit) {
    case "times":
      return `${value.toFixed(value >= 10 ? 1 : 2)} ×`;
    case "percent":
      return `${(value * 100).toFixed(1).replace(/\.0$/, "")} %`;
    case "bytes":
      return `${(value / MEBI).toFixed(0)} MiB`;
  }
}
