import stringWidth from "string-width";
import { colors as colorsOf } from "./colors.js";
import { gateLines } from "./gate-lines.js";
import { scope, failure, outcome, provenance, title, type RunOutcome } from "./headline.js";
import { printable } from "./printable-text.js";
import type { Report } from "./report.js";
import { hanging, wrap } from "./table.js";
import { checks } from "./text/checks.js";
import { wrapCommand } from "./text/command.js";
import { details } from "./text/details.js";
import { digests } from "./text/digests.js";
import { grid } from "./text/grid.js";
import type { Page } from "./text/page.js";
import { problems } from "./text/problems.js";
import { machines, notes, record } from "./text/remarks.js";
import { tags } from "./text/tags.js";

export interface TextOptions {
  /** ANSI colours; no information is in colour alone. Default: false. */
  readonly color?: boolean;
  /** Terminal columns; text to be copied whole (digests, references, commands) is never broken. Default: 100. */
  readonly width?: number;
}

/** The report for a terminal: the verdict and what to do, the grid, the digests, then details. */
export function renderText(raw: Report, { color = false, width = 100 }: TextOptions = {}): string {
  const report = printable(raw);
  const page: Page = { colors: colorsOf(color), width };
  const blocks = [
    headline(report, page),
    gate(report, page),
    problems(report, page),
    next(report, page),
    grid(report, page),
    digests(report, page),
    tags(report, page),
    record(report, page),
    checks(report, page),
    ...report.services.map((service) => details(service, report, page)),
    machines(report, page),
    notes(report, page),
    wrap(provenance(report), width).map(page.colors.dim),
  ];
  return blocks
    .map((block) => block.filter((line) => line !== "").join("\n"))
    .filter((block) => block !== "")
    .join("\n\n");
}

type Paints = Record<RunOutcome["tone"], (text: string) => string>;

function headline(report: Report, { colors, width }: Page): string[] {
  const { words, tone } = outcome(report);
  const paint = { good: colors.green, waiting: colors.yellow, bad: colors.red } satisfies Paints;
  const failed = failure(report);
  const shown = tone === "bad" ? words.toUpperCase() : words;
  const first = `${colors.bold(title(report))} ${paint[tone](shown)}`;
  const isShort = stringWidth(`${title(report)} ${shown} · ${scope(report)}`) <= width;
  return [
    ...(isShort ? [`${first} · ${scope(report)}`] : [first, ...wrap(scope(report), width)]),
    ...(failed === undefined ? [] : wrap(failed, width)),
  ];
}

function gate(report: Report, { width }: Page): string[] {
  const [first, ...others] = gateLines(report);
  if (first === undefined) return [];
  return [...wrap(first, width), ...others.flatMap((line) => hanging("  - ", line, width))];
}

function next({ next: command, nextInWords: words }: Report, { colors, width }: Page): string[] {
  if (words !== undefined) return wrap(`next: ${words}`, width);
  if (command === undefined) return [];
  return wrapCommand(command, "next: ", width).map((line, index) =>
    index === 0 ? `next: ${colors.bold(line.slice("next: ".length))}` : colors.bold(line),
  );
}
