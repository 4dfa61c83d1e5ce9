import type {
  RegistryReport,
  Report,
  ServiceReport,
  ServiceState,
  SmokeReport,
  VariantReport,
} from "./report.js";
import { tagCount } from "./tag-summary.js";
import { isKnown } from "./variant-summary.js";

export type Tone = "good" | "waiting" | "bad";

/** A state in one or two words. */
export interface GridCell {
  /** "done", "same" for what was there before, "verified", "ready", "FAILED", "not started", "DIFFERS", "-" */
  readonly words: string;
  readonly tone: Tone;
}

/** Platforms of a service that fared alike in everything. */
export interface GridRow {
  readonly service: string;
  readonly state: ServiceState;
  /** Empty if none is known. */
  readonly platforms: readonly string[];
  /** Whether the platforms' images were checked and run. */
  readonly tested: GridCell;
  /** In the grid's order of registries; undefined where the service is not published. */
  readonly registries: readonly (GridCell | undefined)[];
}

/** Every service × platform × registry. */
export interface Grid {
  readonly registries: readonly string[];
  /** Whether any platform was tested, or should have been. */
  readonly hasTests: boolean;
  readonly rows: readonly GridRow[];
}

export function gridOf({ services }: Report): Grid {
  const registries = [
    ...new Set(services.flatMap((service) => service.registries.map(({ registry }) => registry))),
  ];
  const rows = services.flatMap((service) => rowsOf(service, registries));
  return {
    registries,
    hasTests: services.some(({ variants }) => variants.some(isKnown)),
    rows,
  };
}

function rowsOf(service: ServiceReport, registries: readonly string[]): GridRow[] {
  const cells = registries.map((name) => registryCell(service, name));
  const byOutcome = new Map<string, { tested: GridCell; platforms: string[] }>();
  for (const variant of service.variants) {
    const tested = testCell(variant);
    const group = byOutcome.get(tested.words) ?? { tested, platforms: [] };
    group.platforms.push(variant.platform);
    byOutcome.set(tested.words, group);
  }
  const hasFailed = service.state === "failed" && service.problems.length > 0;
  const untested = { tested: hasFailed ? FAILED : UNKNOWN, platforms: [] };
  const groups = byOutcome.size === 0 ? [untested] : [...byOutcome.values()];
  return groups.map((group) => ({
    service: service.service,
    state: service.state,
    ...group,
    registries: cells,
  }));
}

const UNKNOWN: GridCell = { words: "-", tone: "waiting" };
const FAILED: GridCell = { words: "FAILED", tone: "bad" };

function testCell({ elf, smoke, machines = [] }: VariantReport): GridCell {
  const isBad =
    smoke?.ok === false ||
    (elf?.foreign.length ?? 0) > 0 ||
    (elf?.links?.missing.length ?? 0) > 0 ||
    machines.some(({ state }) => state === "failed");
  if (isBad) return FAILED;
  if (smoke !== undefined) return { words: testedWords(smoke), tone: "good" };
  return elf === undefined ? UNKNOWN : { words: "not run", tone: "waiting" };
}

function testedWords({ recorded, signer }: SmokeReport): string {
  return signer !== undefined ? "tested" : recorded ? "ok before" : "ok";
}

const WORDS: Readonly<Record<RegistryReport["state"], string>> = {
  ready: "ready",
  done: "done",
  "already there": "same",
  verified: "verified",
  failed: "FAILED",
  "not started": "not started",
};

function registryCell(service: ServiceReport, registry: string): GridCell | undefined {
  const row = service.registries.find((each) => each.registry === registry);
  if (row === undefined) return undefined;
  if (row.state === "failed") return { words: WORDS.failed, tone: "bad" };
  if (row.state === "not started") return { words: WORDS["not started"], tone: "waiting" };
  if (row.digest !== undefined && service.digest !== undefined && row.digest !== service.digest)
    return { words: "DIFFERS", tone: "bad" };
  const tags = tagCount(service, registry);
  if (tags !== undefined && tags.tone !== "good") return tags;
  return { words: WORDS[row.state], tone: "good" };
}
