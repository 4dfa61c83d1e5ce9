import { shortDigest } from "@tgo/release-rules";
import type { Report, ServiceReport, TagReport } from "./report.js";
import { fold } from "./fold.js";
import { count } from "./quantities.js";

/** The tags of one service in one registry. */
export interface TagRow {
  readonly service: string;
  readonly registry: string;
  /** Their outcomes, equal ones in one line: "1.2.3 done", "1.2, 1, latest done (was 1.2.2)". */
  readonly lines: readonly string[];
  readonly complete: boolean;
}

/** The tags of a release, by service and registry. @param version their new target, if it is to be shown with each */
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

/** Services and registries whose tags ended alike. */
export interface TagSummary extends Omit<TagRow, "service" | "registry"> {
  readonly services: readonly string[];
  readonly registries: readonly string[];
}

/** The tags of a release, each outcome once. @param version their new target, if it is to be shown with each */
export function tagSummaries(report: Report, version?: string): TagSummary[] {
  const byService = report.services.flatMap(({ service }) => {
    const own = tagRows(report, version).filter((row) => row.service === service);
    const folded = fold(
      own.map((row) => [row.registry, row] as const),
      ({ lines }) => JSON.stringify(lines),
    );
    return folded.map(({ value, names }) => [service, { ...value, registries: names }] as const);
  });
  return fold(byService, ({ lines, registries }) => JSON.stringify([lines, registries])).map(
    ({ value: { lines, complete, registries }, names }) => ({ lines, complete, registries, services: names }),
  );
}

function lines(tags: readonly TagReport[], version: string | undefined): string[] {
  const tagsByOutcome = new Map<string, string[]>();
  for (const tag of tags) {
    const { words, change, why } = tagChange(tag, version);
    const outcome = `${words}${change === undefined ? "" : ` (${change})`}${why === undefined ? "" : `: ${why}`}`;
    tagsByOutcome.set(outcome, [...(tagsByOutcome.get(outcome) ?? []), tag.tag]);
  }
  return [...tagsByOutcome].map(([outcome, names]) => `${names.join(", ")} ${outcome}`);
}

/** The outcome of one tag. */
export interface TagChange {
  /** Its state; for one that stays, its target: "stays on 1.3.0, newer than 1.2.3". */
  readonly words: string;
  /** "1.2.2 → 1.2.3" where the version is given, else "was 1.2.2"; "still 1.2.2" where nothing was written. */
  readonly change: string | undefined;
  /** Absent for a failure: it is listed with the problems. */
  readonly why: string | undefined;
}

/** @param version the tag's new target, if it is to be shown */
export function tagChange(tag: TagReport, version?: string): TagChange {
  const { state, told } = tag;
  if (state === "stays" && told !== undefined) return { words: told, change: undefined, why: undefined };
  return { words: state, change: changeOf(tag, version), why: told };
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

/** `before` is a digest where the version is unknown. */
function shortened(before: string | undefined): string | undefined {
  return before?.startsWith("sha256:") === true ? shortDigest(before) : before;
}

/** "4 of 4 tags", for one service in one registry; undefined when none was planned. */
export function tagCount(
  { tags = [] }: ServiceReport,
  registry: string,
): { readonly words: string; readonly tone: "good" | "waiting" | "bad" } | undefined {
  const own = tags.filter((tag) => tag.registry === registry);
  if (own.length === 0) return undefined;
  const inPlace = own.filter(isInPlace).length;
  const failed = own.some(({ state }) => state === "failed");
  return {
    words: `${inPlace} of ${count(own.length, "tag")}`,
    tone: failed ? "bad" : inPlace < own.length ? "waiting" : "good",
  };
}

/** Whether a tag points to what it should. */
export function isInPlace({ state }: TagReport): boolean {
  return state !== "failed" && state !== "not started";
}
