import { TgoError } from "@tgo/errors";

/**
 * Parses NAME=value lines. Empty lines and lines that start with # are skipped; a leading `export` is ignored. A value
 * is the rest of its line, verbatim: # and $ have no special meaning, because they are common in passwords. A value that
 * starts with a quote ends with the same quote, possibly lines later; double quotes allow the escapes \n, \r, \t, \" and
 * \\. The .env parsers of Node and dotenv cut values at # and skip malformed lines, which would lose parts of a secret.
 * @param label what the text is, for errors: "--build-secrets"
 * @returns values by name; the last one counts
 * @throws TgoError USAGE with the line's number; never its text, which may be a secret
 */
export function parseSecretsFile(text: string, label: string): Map<string, string> {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const values = new Map<string, string>();
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] ?? "").trim();
    if (line === "" || line.startsWith("#")) continue;
    const match = /^(?:export\s+)?([A-Za-z_][\w.-]*)\s*=\s*(.*)$/s.exec(line);
    if (match === null) throw malformed(label, at, "is not NAME=value");
    const [, name = "", rest = ""] = match;
    const quote = rest.startsWith("'") ? "'" : rest.startsWith('"') ? '"' : undefined;
    if (quote === undefined) {
      values.set(name, rest);
      continue;
    }
    const start = at;
    let quoted = rest;
    while (!endsWithQuote(quoted, quote)) {
      at += 1;
      if (at >= lines.length) throw malformed(label, start, `has an unclosed ${quote}`);
      quoted += `\n${lines[at] ?? ""}`;
    }
    const inner = quoted.trimEnd().slice(1, -1);
    if (quote === "'" ? inner.includes("'") : /(?<!\\)(?:\\\\)*"/.test(inner)) {
      throw malformed(label, start, "has text after its closing quote");
    }
    values.set(name, quote === "'" ? inner : expandEscapes(inner));
  }
  return values;
}

function endsWithQuote(text: string, quote: string): boolean {
  const trimmed = text.trimEnd();
  if (trimmed.length < 2 || !trimmed.endsWith(quote)) return false;
  // An odd number of backslashes escapes the quote.
  return quote === "'" || (/\\*$/.exec(trimmed.slice(0, -1))?.[0].length ?? 0) % 2 === 0;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function expandEscapes(text: string): string {
  return text.replaceAll(/\\(.)/gs, (_, char: string) => ESCAPES[char] ?? char);
}

function malformed(label: string, line: number, problem: string): TgoError {
  return new TgoError("USAGE", `line ${line + 1} of ${label} ${problem}`, {
    remedy: 'Write one NAME=value per line; put a value of several lines in quotes: NAME="…".',
  });
}
