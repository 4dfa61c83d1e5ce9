import canonicalize from "canonicalize";

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
