import type { Report, TagReport } from "./report.js";

/** One registry's tags of one service. */
export interface TagRow {
  readonly service: string;
  readonly registry: string;
  /** One line a tag: "1.2.3 done", "latest stays: ...". */
  readonly lines: readonly string[];
  readonly complete: boolean;
}

/** The tags of a release, by service and registry. */
export function tagRows(report: Report): TagRow[] {
  return report.services.flatMap(({ service, tags = [] }) => {
    const registries = [...new Set(tags.map(({ registry }) => registry))];
    return registries.map((registry) => {
      const own = tags.filter((tag) => tag.registry === registry);
      return {
        service,
        registry,
        lines: own.map(line),
        complete: own.every(({ state }) => state !== "failed" && state !== "not started"),
      };
    });
  });
}

function line({ tag, state, before, told, problem }: TagReport): string {
  const was = before === undefined || state !== "done" ? "" : ` (was ${before})`;
  const why = told ?? problem?.what.split("\n")[0];
  return `${tag} ${state}${was}${why === undefined ? "" : `: ${why}`}`;
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
