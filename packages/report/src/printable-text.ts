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
    MULTILINE.has(field) ? printableText(text) : printableLine(text),
  );
}

/** Untrusted text on one line, without anything that would change the lines around it. */
export function printableLine(text: string): string {
  return printableText(text).trimEnd().replaceAll("\n", " ");
}

function printableText(text: string): string {
  return text
    .replaceAll(SEQUENCE, "")
    .replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, "\n")
    .replaceAll("\t", "  ")
    .replaceAll(UNPRINTABLE, "\uFFFD");
}

/**
 * Control sequences, control strings such as a window title, and other escapes. Node's stripVTControlCharacters would
 * also remove ordinary text before a stray bell.
 * @see https://ecma-international.org/publications-and-standards/standards/ecma-48/ 5.4, 5.6
 */
const SEQUENCE =
  // eslint-disable-next-line no-control-regex
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B[\]PX^_][^\u0007\u001B\n]*(?:\u0007|\u001B\\)|\u001B[ -/]*[0-~]/g;

/** Control characters except the line feed, and direction marks. @see https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing */
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
