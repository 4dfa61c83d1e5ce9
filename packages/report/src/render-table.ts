import { table as markdownTable, text as markdownText } from "./markdown-text.js";
import type { ReportFormat } from "./render.js";
import { printableLine } from "./texts.js";

/** For what is not a report: lists and plans have no page for a browser. */
export type OutputFormat = Exclude<ReportFormat, "html">;

/** A plain table, or one of Markdown. Cells are text, whatever a registry has put into them. */
export function renderTable(
  head: readonly string[],
  texts: readonly (readonly string[])[],
  format: OutputFormat,
): string {
  const rows = texts.map((cells) => cells.map((cell) => renderLine(cell, format)));
  if (format === "markdown") return markdownTable(head, rows);
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [line(head), ...rows.map(line)].map((text) => `  ${text}`).join("\n");
}

/** A line of text for the same face as a table. */
export function renderLine(text: string, format: OutputFormat): string {
  const line = printableLine(text);
  return format === "markdown" ? markdownText(line) : line;
}
