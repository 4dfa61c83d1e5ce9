import type { Report } from "./report.js";

/** A text, and the name of the field that it, or the list it is in, stands in. */
type Change = (text: string, field: string) => string;

/** The same report with every text in it changed; numbers, names of fields and the order of lists stay. */
export function withTexts(report: Report, change: Change): Report {
  return changed(report, "", change);
}

function changed<T>(value: T, field: string, change: Change): T;
function changed(value: unknown, field: string, change: Change): unknown {
  if (typeof value === "string") return change(value, field);
  if (Array.isArray(value)) return value.map((each: unknown) => changed(each, field, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, changed(inner, key, change)]));
}

/** Of these the lines count: a message with what a command printed, what to do, a quoted command. */
const OF_LINES = new Set(["what", "remedy", "next"]);

/**
 * The report as it may be put before people: what a registry or a build step has said can hold colours, cursor
 * movements and marks that reverse the direction of writing, and would then rewrite the lines around it.
 */
export function printable(report: Report): Report {
  return withTexts(report, (text, field) =>
    OF_LINES.has(field) ? printableText(text) : printableLine(text),
  );
}

/** A text of somebody else's in one line, without what would change the lines around it. */
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
 * Control sequences, control strings such as a window's title, and other escapes. Node's stripVTControlCharacters also
 * takes text that a stray bell follows.
 * @see https://ecma-international.org/publications-and-standards/standards/ecma-48/ 5.4, 5.6
 */
const SEQUENCE =
  // eslint-disable-next-line no-control-regex
  /(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B[\]PX^_][^\u0007\u001B\n]*(?:\u0007|\u001B\\)|\u001B[ -/]*[0-~]/g;

/** Controls but the line feed, and marks of direction. @see https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing */
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200E\u200F\u202A-\u202E\u2066-\u2069]/g;
