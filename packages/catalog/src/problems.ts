import { TgoError } from "@tgo/errors";
import { maskUrlCredentials } from "@tgo/redaction";
import { en } from "zod/locales";
import * as z from "zod/mini";

export type Json = Record<string, unknown>;

/**
 * Parses a JSON file.
 * @throws TgoError CATALOG with line and column when it is not JSON
 */
export function parseJsonFile(text: string, file: string, remedy: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TgoError("CATALOG", `not valid JSON: ${message}${position(text, message)}`, {
      where: file,
      remedy,
      cause,
    });
  }
}

/** zod/mini has no messages of its own: these are the English ones of zod. */
const english = en().localeError;

export function safeParse<S extends z.core.$ZodType>(
  schema: S,
  value: unknown,
): z.core.util.SafeParseResult<z.output<S>> {
  return z.safeParse(schema, value, { error: english });
}

/** Every problem of a value, one per line, with its path and the value found. */
export function problems(error: z.core.$ZodError, value: unknown): string {
  const lines = error.issues.flatMap((issue) => describe(issue, value));
  const count = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
  return [`${count}:`, ...lines.map((line) => `  - ${line}`)].join("\n");
}

function describe(issue: z.core.$ZodIssue, root: unknown): string[] {
  const path = issue.path.map(String);
  const at = path.length === 0 ? "(top level)" : path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${[...path, key].join(".")}: unknown field`);
  }
  // The field's name is wrong: its value does not matter.
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => `${at}: ${message}`);
  const found = path.reduce<unknown>(
    (value, key) => (isObject(value) || Array.isArray(value) ? (value as Json)[key] : undefined),
    root,
  );
  // A value with credentials is not shown.
  if (issue.message.includes("credentials")) return [`${at}: ${issue.message}`];
  const shown =
    found === undefined ? "missing" : `got ${truncate(maskUrlCredentials(JSON.stringify(found)))}`;
  return [`${at}: ${issue.message} (${shown})`];
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

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}
