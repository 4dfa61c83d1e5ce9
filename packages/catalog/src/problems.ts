import { isTgoError, TgoError, withoutMark } from "@tgo/errors";
import { maskUrlCredentials } from "@tgo/redaction";
import { describeIssue, isObject, pathOf, type BaseIssue } from "@tgo/schemas";

export type Json = Record<string, unknown>;

/**
 * Parses a JSON file, with or without comments (JSON with Comments, as editors know it).
 * @throws TgoError CATALOG with line and column when it is not JSON
 */
export function parseJsonFile(text: string, file: string, remedy: string): unknown {
  try {
    // Comments become spaces, so that positions stay those of the file.
    return JSON.parse(withoutComments(withoutMark(text, file)));
  } catch (cause) {
    if (isTgoError(cause)) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TgoError("CATALOG", `not valid JSON: ${message}${position(text, message)}`, {
      where: file,
      remedy,
      cause,
    });
  }
}

/** A string, which may have what looks like a comment, or a comment. */
const STRING_OR_COMMENT = /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[^]*?\*\//g;

function withoutComments(text: string): string {
  return text.replaceAll(
    STRING_OR_COMMENT,
    (found, string?: string) => string ?? found.replaceAll(/[^\n]/g, " "),
  );
}

/** Every problem of a value, one per line, with its path and the value found. */
export function problems(issues: readonly BaseIssue<unknown>[], value: unknown): string {
  const lines = issues.map((issue) => describe(issue, value));
  const count = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
  return [`${count}:`, ...lines.map((line) => `  - ${line}`)].join("\n");
}

function describe(issue: BaseIssue<unknown>, root: unknown): string {
  const problem = describeIssue(issue);
  // Where the field's name is wrong, its value does not matter. A value with credentials is not shown.
  if (issue.path?.at(-1)?.origin === "key" || issue.message.includes("credentials")) return problem;
  const found = pathOf(issue).reduce<unknown>(
    (value, key) => (isObject(value) || Array.isArray(value) ? (value as Json)[key] : undefined),
    root,
  );
  const shown =
    found === undefined ? "missing" : `got ${truncate(maskUrlCredentials(JSON.stringify(found)))}`;
  return `${problem} (${shown})`;
}

function truncate(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** V8 reports a position in characters; people look for a line. */
function position(text: string, message: string): string {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === undefined || message.includes("line")) return "";
  const before = text.slice(0, Number(offset)).split("\n");
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}

export function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}
