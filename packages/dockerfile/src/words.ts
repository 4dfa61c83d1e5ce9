/** Matches a word: blanks within quotes and escaped characters belong to it. A quote without an end goes to the end. */
export function wordPattern(escape: string, flags: string): RegExp {
  const escaped = `\\${escape}[^]`;
  return new RegExp(`(?:"(?:${escaped}|[^"])*(?:"|$)|'[^']*(?:'|$)|${escaped}|[^\\s"'])+`, flags);
}

/** Splits text at blanks outside of quotes. Quotes and escapes are kept, for `expand` to remove. */
export function splitWords(text: string, escape: string): string[] {
  return text.match(wordPattern(escape, "g")) ?? [];
}

/** A JSON array of strings; undefined for anything else, which is a command for a shell, or a list with blanks. */
export function parseJsonList(text: string): string[] | undefined {
  try {
    const value: unknown = text.startsWith("[") ? JSON.parse(text) : undefined;
    return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}
