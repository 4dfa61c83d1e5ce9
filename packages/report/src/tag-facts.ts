import type { Report, ServiceReport, TagReport } from "./report.js";
import { count, shortDigest } from "./units.js";

/** One registry's tags of one service. */
export interface TagRow {
  readonly service: string;
  readonly registry: string;
  /** What became of them, the same told once: "1.2.3 done", "1.2, 1, latest done (was 1.2.2)". */
  readonly lines: readonly string[];
  readonly complete: boolean;
}

/** The tags of a release, by service and registry. @param version what they stand for, to be said with each */
export function tagRows(report: Report, version?: string): TagRow[] {
  return report.services.flatMap(({ service, tags = [] }) => {
    const registries = [...new Set(tags.map(({ registry }) => registry))];
    return registries.map((registry) => {
      const own = tags.filter((tag) => tag.registry === registry);
      return {
        service,
        registry,
        lines: lines(own, version),
        complete: own.every(isInPlace),
      };
    });
  });
}

function lines(tags: readonly TagReport[], version: string | undefined): string[] {
  const names = new Map<string, string[]>();
  for (const tag of tags) {
    const { words, change, why } = tagChange(tag, version);
    const told = `${words}${change === undefined ? "" : ` (${change})`}${why === undefined ? "" : `: ${why}`}`;
    names.set(told, [...(names.get(told) ?? []), tag.tag]);
  }
  return [...names].map(([told, tags]) => `${tags.join(", ")} ${told}`);
}

/** What became of a tag. */
export interface TagChange {
  /** Its state; of one that stays, on what: "stays on 1.3.0, newer than 1.2.3". */
  readonly words: string;
  /** "1.2.2 → 1.2.3" where the version is given, else "was 1.2.2"; "still 1.2.2" where nothing was written. */
  readonly change: string | undefined;
  readonly why: string | undefined;
}

/** @param version what the tag stands for when it is written */
export function tagChange(tag: TagReport, version?: string): TagChange {
  const { state, told, problem } = tag;
  if (state === "stays" && told !== undefined) return { words: told, change: undefined, why: undefined };
  return { words: state, change: changeOf(tag, version), why: told ?? problem?.what.split("\n")[0] };
}

function changeOf({ tag, state, ...row }: TagReport, version: string | undefined): string | undefined {
  const before = shortened(row.before);
  switch (state) {
    case "done":
      if (before !== undefined) return version === undefined ? `was ${before}` : `${before} → ${version}`;
      return version === undefined ? undefined : tag === version ? "new" : `new → ${version}`;
    case "already there":
      return tag === version ? undefined : version;
    case "stays":
      return version === undefined ? undefined : before;
    case "failed":
      return before === undefined ? undefined : `was ${before}`;
    case "not started":
      return before === undefined ? undefined : `still ${before}`;
  }
}

/** A digest where nobody knows the version. */
function shortened(before: string | undefined): string | undefined {
  return before?.startsWith("sha256:") === true ? shortDigest(before) : before;
}

/** "4 of 4 tags" of a service in a registry; undefined when none was planned. */
export function tagCount(
  { tags = [] }: ServiceReport,
  registry: string,
): { readonly words: string; readonly tone: "good" | "waiting" | "bad" } | undefined {
  const own = tags.filter((tag) => tag.registry === registry);
  if (own.length === 0) return undefined;
  const there = own.filter(isInPlace).length;
  const failed = own.some(({ state }) => state === "failed");
  return {
    words: `${there} of ${count(own.length, "tag")}`,
    tone: failed ? "bad" : there < own.length ? "waiting" : "good",
  };
}

/** Whether a tag stands for what it should. */
export function isInPlace({ state }: TagReport): boolean {
  return state !== "failed" && state !== "not started";
}

/** Whether the gate opened, what kept it closed, and what is left for later; one line each. */
export function gateLines({ gate }: Report): string[] {
  if (gate === undefined) return [];
  return [
    `gate ${gate.open ? "open: every candidate is verified in every required registry" : "closed"}`,
    ...gate.reasons,
    ...gate.later.map((reason) => `later: ${reason}`),
  ];
}
