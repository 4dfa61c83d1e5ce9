import { checkSummaries } from "../check-summary.js";
import { whose } from "../fold.js";
import type { Report } from "../report.js";
import { cell, table, tableWidth, type Cell } from "../table.js";
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
  const header = ["check", "state", "evidence"];
  const options = { width, indent: "", paintHeader: colors.dim };
  if (tableWidth(header, rows) <= width) return table(header, rows, options);
  const short = rows.map((row) => row.map((each) => ({ ...each, lines: each.lines.map(withShortDigests) })));
  return table(header, short, options);
}

/** Twelve digits, as elsewhere: a whole digest is wider than what a narrow terminal has left for it. */
function withShortDigests(line: string): string {
  return line.replaceAll(/sha256:([0-9a-f]{12})[0-9a-f]{52}/g, "$1");
}
