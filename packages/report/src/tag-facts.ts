import type { Report, ServiceReport, TagReport } from "./report.js";
import { count, shortDigest } from "./units.js";

/** One registry's tags of one service. */
export interface TagRow {
  readonly service: string;
  readonly registry: string;
  /** One line a tag: "1.2.3 done", "latest stays: ...". */
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
        lines: own.map((tag) => line(tag, version)),
        complete: own.every(isThere),
      };
    });
  });
}

function line(tag: TagReport, version: string | undefined): string {
  const { change, why } = tagChange(tag, version);
  return `${tag.tag} ${tag.state}${change === undefined ? "" : ` (${change})`}${why === undefined ? "" : `: ${why}`}`;
}

/** What became of a tag, besides its state. */
export interface TagChange {
  /** "1.2.2 → 1.2.3" where the version is given, else "was 1.2.2"; "still 1.2.2" where nothing was written. */
  readonly change: string | undefined;
  readonly why: string | undefined;
}

/** @param version what the tag stands for when it is written */
export function tagChange(tag: TagReport, version?: string): TagChange {
  const { told, problem } = tag;
  return { change: changeOf(tag, version), why: told ?? problem?.what.split("\n")[0] };
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
  const there = own.filter(isThere).length;
  const failed = own.some(({ state }) => state === "failed");
  return {
    words: `${there} of ${count(own.length, "tag")}`,
    tone: failed ? "bad" : there < own.length ? "waiting" : "good",
  };
}

function isThere({ state }: TagReport): boolean {
  return state !== "failed" && state !== "not started";
}

/** What keeps the gate closed, and what is left for later. */
export function gateLines({ gate }: Report): string[] {
  if (gate === undefined) return [];
  return [
    `gate ${gate.open ? "open: every candidate is verified in every required registry" : "closed"}`,
    ...gate.reasons.map((reason) => `  ${reason}`),
    ...gate.later.map((reason) => `  later: ${reason}`),
  ];
}
