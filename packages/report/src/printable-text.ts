import { escapeControls, printableText } from "@tgo/errors";
import type { Report } from "./report.js";

/** Changes a text. @param field the name of the field that contains it, directly or in a list */
type Change = (text: string, field: string) => string;

/** The report with every text changed; numbers, field names and the order of lists stay. */
export function mapTexts(report: Report, change: Change): Report {
  return changed(report, "", change);
}

function changed<T>(value: T, field: string, change: Change): T;
function changed(value: unknown, field: string, change: Change): unknown {
  if (typeof value === "string") return change(value, field);
  if (Array.isArray(value)) return value.map((each: unknown) => changed(each, field, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, changed(inner, key, change)]));
}

/** Fields whose line breaks matter: a message with a command's output, a remedy, a quoted command. */
const MULTILINE = new Set(["what", "remedy", "next"]);

/**
 * The report made safe to print: text from a registry or a build step can contain colours, cursor movements and marks
 * that reverse the writing direction, and would change the lines around it.
 */
export function printable(report: Report): Report {
  return mapTexts(report, (text, field) =>
    MULTILINE.has(field) ? printableLines(text) : printableLine(text),
  );
}

/** Untrusted text on one line, without anything that would change the lines around it. */
export function printableLine(text: string): string {
  return printableLines(text).trimEnd().replaceAll("\n", " ");
}

/** Without tabs, because tables count columns. */
function printableLines(text: string): string {
  return printableText(text).replaceAll("\t", "  ");
}

/** A value as JSON for programs, which people read on a terminal too. */
export function jsonText(value: unknown): string {
  return escapeControls(JSON.stringify(value, null, 2));
}
