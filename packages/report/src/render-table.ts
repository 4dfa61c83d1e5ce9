import { table as markdownTable, text as markdownText } from "./markdown-syntax.js";
import { printableLine } from "./printable-text.js";
import type { ReportFormat } from "./render.js";
import { cell, table } from "./table.js";

/** The formats of lists and plans; only reports have an HTML page. */
export type OutputFormat = Exclude<ReportFormat, "html">;

/** A plain or Markdown table. Cells are text, whatever a registry put into them. */
export function renderTable(
  header: readonly string[],
  texts: readonly (readonly string[])[],
  format: OutputFormat,
): string {
  const rows = texts.map((row) => row.map((text) => renderLine(text, format)));
  if (format === "markdown") return markdownTable(header, rows);
  const cells = rows.map((row) => row.map((text) => cell(text)));
  return table(header, cells, UNLIMITED).join("\n");
}

/** Lists are often piped: they are never wrapped. */
const UNLIMITED = { width: Infinity, indent: "  ", paintHeader: (text: string): string => text };

/** A line of text in the same format as a table. */
export function renderLine(text: string, format: OutputFormat): string {
  const line = printableLine(text);
  return format === "markdown" ? markdownText(line) : line;
}
