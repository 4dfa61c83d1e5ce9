import { TgoError } from "@tgo/errors";

/** One NAME=value of a file. */
export interface SecretLine {
  readonly name: string;
  readonly value: string;
  /** The quotes around the value, which are not part of it. */
  readonly quote: "'" | '"' | undefined;
}

/**
 * Reads NAME=value lines. Empty lines and lines that start with # are left out; `export ` may stand in front. A value
 * is the rest of its line, as it is: a # or a $ in a password means nothing. A value that starts with a quote ends
 * with the same one, maybe lines later; in double quotes \n, \t, \" and \\ are read as in a shell's $'…'.
 * @param what what the text is, for the error: "--build-secrets"
 * @throws TgoError USAGE naming the line by its number: what is in it may be a secret
 */
export function parseAssignments(text: string, what: string): SecretLine[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const found: SecretLine[] = [];
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/s.exec(line);
    if (match === null) throw malformed(what, at, "is not NAME=value");
    const [, name = "", rest = ""] = match;
    const quote = rest.startsWith("'") ? "'" : rest.startsWith('"') ? '"' : undefined;
    if (quote === undefined) {
      found.push({ name, value: rest, quote });
      continue;
    }
    const start = at;
    let quoted = rest;
    while (!closes(quoted, quote)) {
      at += 1;
      if (at >= lines.length) throw malformed(what, start, `opens a ${quote} that nothing closes`);
      quoted += `\n${lines[at] ?? ""}`;
    }
    const inner = quoted.trimEnd().slice(1, -1);
    if (quote === "'" ? inner.includes("'") : /(?<!\\)(?:\\\\)*"/.test(inner)) {
      throw malformed(what, start, "goes on behind its closing quote");
    }
    found.push({ name, value: quote === "'" ? inner : unescaped(inner), quote });
  }
  return found;
}

function closes(text: string, quote: string): boolean {
  const trimmed = text.trimEnd();
  if (trimmed.length < 2 || !trimmed.endsWith(quote)) return false;
  // A backslash in front makes it a quote of the value, unless that backslash is one itself.
  return quote === "'" || (/\\*$/.exec(trimmed.slice(0, -1))?.[0].length ?? 0) % 2 === 0;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, char: string) => ESCAPES[char] ?? char);
}

function malformed(what: string, line: number, why: string): TgoError {
  return new TgoError("USAGE", `line ${line + 1} of ${what} ${why}`, {
    remedy: 'Write one NAME=value a line; a value of several lines stands in quotes: NAME="…".',
  });
}
