import { missesOf } from "./misses.js";
import { describeKind, UNIT_NAMES } from "./kinds.js";
import type { Rounds } from "./plan.js";
import type { Results } from "./results.js";
import { tablesOf, targetTable, type Table } from "./tables.js";

const NO_MISS = "No measured target was missed.";

/** For a terminal: aligned columns, numbers to the right. */
export function renderText(results: Results): string {
  const parts = [...tablesOf(results), targetTable(results)].map(textTable);
  return [...parts, missText(results), ...failureText(results)].join("\n\n");
}

export function textTable({ title, head, rows }: Table): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [title, ...[head, ...rows].map((cells) => `  ${line(cells)}`)].join("\n");
}

function missText(results: Results): string {
  const misses = missesOf(results);
  if (misses.length === 0) return NO_MISS;
  const lines = misses.flatMap(({ service, text, steps }) => [
    `  ${service}: ${text}`,
    ...steps.map((step) => `    ${step}`),
  ]);
  return ["Missed targets, with the longest steps of each build (steps overlap)", ...lines].join("\n");
}

function failureText(results: Results): string[] {
  const lines = failureLines(results).map((line) => `  ${line}`);
  return lines.length === 0 ? [] : [["Failed", ...lines].join("\n")];
}

function failureLines({ services, native, foreign }: Results): string[] {
  return services.flatMap(({ service, failures }) =>
    failures.map(
      ({ kind, round, message }) =>
        `${service}, ${describeKind(kind, native, foreign)}, round ${round}: ${message.trim()}`,
    ),
  );
}

/** The generated part of docs/background/benchmarks.md. */
export function renderMarkdown(results: Results): string {
  const misses = missesOf(results);
  const failures = failureLines(results).map((line) => `- ${line.split("\n", 1)[0] ?? ""}`);
  return [
    conditions(results),
    ...[...tablesOf(results), targetTable(results)].flatMap((table) => [
      `### ${table.title}`,
      markdownTable(table),
    ]),
    "### Missed",
    misses.length === 0
      ? NO_MISS
      : "With the longest steps of each build; steps of the two platforms overlap.",
    ...misses.map(({ service, text, steps }) =>
      [`- **${service}**, ${text}`, ...steps.map((step) => `  - ${escape(step)}`)].join("\n"),
    ),
    ...(failures.length === 0 ? [] : ["### Failed", failures.join("\n")]),
  ].join("\n\n");
}

function conditions({ machine, ...results }: Results): string {
  const gibibytes = (machine.memory / 1024 ** 3).toFixed(0);
  const versions = Object.entries(results.versions).map(([name, version]) => `${name} ${version}`);
  return (
    `Measured on ${results.date.slice(0, 10)} with \`${results.command}\` in ${Math.round(results.seconds / 60)} minutes: ` +
    `${machine.cores} cores (${machine.cpu}), ${gibibytes} GiB, ${machine.os}, kernel ${machine.kernel}; ` +
    `${results.engine}; ${versions.join(", ")}. Base images: ${results.bases}. ` +
    `Rounds: ${roundsText(results.rounds)}. Cold: ${results.cold}.`
  );
}

/** The maximum, and every unit with fewer: "3; emulated 1". */
export function roundsText(rounds: Rounds): string {
  const most = Math.max(...Object.values(rounds));
  const fewer = UNIT_NAMES.filter((unit) => rounds[unit] < most).map((unit) => `${unit} ${rounds[unit]}`);
  return [most, ...fewer].join("; ");
}

export function markdownTable({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escape).join(" | ")} |`;
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

function escape(text: string): string {
  return text.replaceAll(/([|<>*_`\\])/g, "\\$1");
}
