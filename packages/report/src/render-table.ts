import { table as markdownTable, text as markdownText } from "./markdown-syntax.js";
import { printableLine } from "./printable-text.js";
import type { ReportFormat } from "./render.js";
import { cell, table } from "./table.js";

/** The formats of lists and plans; only reports have an HTML page. */
export type OutputFormat = Exclude<ReportFormat, "html">;

/**
 * A plain or Markdown table. Cells are text, whatever a registry put into them.
 * @param width terminal columns of a plain one; unlimited by default, because lists are often piped
 */
export function renderTable(
  header: readonly string[],
  texts: readonly (readonly string[])[],
  format: OutputFormat,
  width = Infinity,
): string {
  const rows = texts.map((row) => row.map((text) => renderLine(text, format)));
  if (format === "markdown") return markdownTable(header, rows);
  const cells = rows.map((row) => row.map((text) => cell(text)));
  return table(header, cells, { width, indent: "  ", paintHeader: (text) => text }).join("\n");
}

/** A line of text in the same format as a table. */
export function renderLine(text: string, format: OutputFormat): string {
  const line = printableLine(text);
  return format === "markdown" ? markdownText(line) : line;
}
