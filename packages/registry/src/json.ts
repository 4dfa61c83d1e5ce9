import canonicalize from "canonicalize";
import type * as z from "zod/mini";
import { en } from "zod/locales";

/** zod/mini has no messages of its own. */
const english = en().localeError;

/** The value, or undefined when the text is not JSON. The parser's own error would quote the text, secrets included. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * One text for one value: RFC 8785. What is written this way has the same digest whatever order its keys were
 * added in.
 */
export function canonicalJson(value: unknown): string {
  return canonicalize(value) ?? "";
}

/** Validates a value with zod's English messages: zod/mini has none of its own. */
export function validate<T>(schema: z.ZodMiniType<T>, value: unknown): z.core.util.SafeParseResult<T> {
  return schema.safeParse(value, { error: english });
}
