import { checkSummaries } from "../check-summary.js";
import { whose } from "../fold.js";
import type { Report } from "../report.js";
import { cell, table, type Cell } from "../table.js";
import type { Page } from "./page.js";

/** The checks of a verification or a preflight, what services share said once. */
export function checks(report: Report, { colors, width }: Page): string[] {
  const summaries = checkSummaries(report);
  if (summaries.length === 0) return [];
  const paints = { ok: colors.green, note: colors.yellow, failed: colors.red, skipped: colors.dim };
  const all = [...new Set(summaries.flatMap(({ services }) => services))];
  const rows = summaries.map(({ name, state, services, evidence }, index): Cell[] => {
    const of = whose(services, all);
    const isNamed = of !== "" && all.length > 1;
    return [
      cell(summaries[index - 1]?.name === name ? "" : name),
      cell(state === "failed" ? "FAILED" : state, { paint: paints[state] }),
      cell(isNamed && !evidence.some((line) => line.startsWith(of)) ? [`${of}:`, ...evidence] : evidence),
    ];
  });
  return table(["check", "state", "evidence"], rows, { width, indent: "", paintHeader: colors.dim });
}
