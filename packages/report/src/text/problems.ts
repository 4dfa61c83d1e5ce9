import { groupProblems, locationLines } from "../problem-group.js";
import { EXPLAIN, remedyParts } from "../remedy-parts.js";
import type { Report } from "../report.js";
import { hanging, wrap } from "../table.js";
import type { Page } from "./page.js";

/** What went wrong, where, and what to do about it. */
export function problems(report: Report, { colors, width }: Page): string[] {
  const groups = groupProblems(report);
  if (groups.length === 0) return [];
  const lines = [colors.bold(groups.length === 1 ? "problem" : "problems")];
  groups.forEach(({ code, what, remedy, locations }, index) => {
    const number = groups.length === 1 ? "" : `${index + 1}. `;
    const pad = " ".repeat(2 + number.length);
    const text = what.split("\n").flatMap((line) => wrap(line, width - pad.length));
    lines.push(`  ${number}${colors.red(text[0] ?? "")}`);
    lines.push(...text.slice(1).map((line) => `${pad}${line}`));
    for (const line of locationLines(locations)) lines.push(...hanging(`${pad}at  `, line, width));
    if (remedy !== undefined) {
      remedyLines(remedy, width - pad.length - 3).forEach((line, at) => {
        lines.push(`${pad}${at === 0 ? "-> " : "   "}${line}`);
      });
    }
    lines.push(`${pad}${colors.dim(`code ${code}`)}`);
  });
  const codes = new Set(groups.map(({ code }) => code));
  const [only = "CODE"] = codes.size === 1 ? codes : [];
  return [...lines, colors.dim(`explained by: ${EXPLAIN} ${only}`)];
}

/** Prose is wrapped; a command stays on one line, so that it can be copied. */
function remedyLines(remedy: string, width: number): string[] {
  return remedyParts(remedy).flatMap(({ kind, text }) => {
    const lines = text.split("\n");
    return kind === "prose" ? lines.flatMap((line) => wrap(line, width)) : lines;
  });
}
