import { splitWords, wordPattern } from "./words.js";

/**
 * An instruction of a Dockerfile.
 * @see https://docs.docker.com/reference/dockerfile/
 */
export interface Instruction {
  /** Upper case: "FROM", "RUN". */
  readonly keyword: string;
  /** Its flags, without quotes: "--from=build". */
  readonly flags: readonly string[];
  /** Its arguments after the flags, from all its lines. */
  readonly rest: string;
  /** Its first line and the line after its last, counted from 0; without its here-documents, which follow. */
  readonly lines: readonly [number, number];
  readonly heredocs: readonly string[];
}

export interface Dockerfile {
  readonly escape: string;
  /** Parser directives by name, in lower case: syntax, check, escape. */
  readonly directives: ReadonlyMap<string, string>;
  readonly instructions: readonly Instruction[];
}

/**
 * Parses a Dockerfile as BuildKit does: joins continued lines, drops comments, takes here-documents as a part of their
 * instruction.
 * @see https://github.com/moby/buildkit/blob/v0.21.0/frontend/dockerfile/parser/parser.go
 */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.replace(/^\uFEFF/, "").split(/\r*\n/);
  const directives = parseDirectives(lines);
  const escape = directives.get("escape") === "`" ? "`" : "\\";
  const continued = new RegExp(`(^|[^\\${escape}])\\${escape}[ \\t]*$`);
  const instructions: Instruction[] = [];
  for (let at = 0; at < lines.length;) {
    const start = at;
    let joined = "";
    for (let more = true; more && at < lines.length; at++) {
      const line = lines[at] ?? "";
      // Comments and empty lines within an instruction are not part of it.
      const isSkipped = /^\s*(?:#|$)/.test(line);
      if (isSkipped && at > start) continue;
      more = !isSkipped && continued.test(line);
      if (!isSkipped) joined += more ? line.replace(continued, "$1") : line;
    }
    const [, keyword = "", all = ""] = /^(\S+)\s*(.*)$/s.exec(joined.trim()) ?? [];
    if (keyword === "") continue;
    const end = at;
    const { flags, rest } = splitFlags(all, escape);
    const heredocs: string[] = [];
    for (const [dash, name] of hereDocuments(`${keyword} ${rest}`)) {
      const last = lines.findIndex(
        (line, index) => index >= at && (dash === "" ? line : line.replace(/^\t+/, "")) === name,
      );
      // Without an end it has all lines; the build reports that.
      const stop = last === -1 ? lines.length : last;
      heredocs.push(lines.slice(at, stop).join("\n"));
      at = stop + 1;
    }
    instructions.push({ keyword: keyword.toUpperCase(), flags, rest, lines: [start, end], heredocs });
  }
  return { escape, directives, instructions };
}

/** Directives are comments before everything else; the first line that is none ends them. */
function parseDirectives(lines: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = /^\s*#\s*(syntax|escape|check)\s*=\s*(.+?)\s*$/i.exec(line) ?? [];
    if (name === "") break;
    found.set(name.toLowerCase(), value);
  }
  return found;
}

/** Takes the flags from the arguments; quotes and escape characters in flags are removed. */
function splitFlags(text: string, escape: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  const word = wordPattern(escape, "y");
  const removed = new RegExp(`\\${escape}([^])|["']`, "g");
  let rest = text;
  while (rest.startsWith("--")) {
    word.lastIndex = 0;
    const [flag = ""] = word.exec(rest) ?? [];
    rest = rest.slice(flag.length).trimStart();
    if (flag === "--") break;
    flags.push(flag.replaceAll(removed, "$1"));
  }
  return { flags, rest };
}

/** Writes a flag so that it is read as it is. */
export function quoteFlag(flag: string, escape: string): string {
  return flag.replaceAll(
    /[\s"'\\`]/g,
    (char) => (/[\\`]/.test(char) && char !== escape ? "" : escape) + char,
  );
}

/** The here-documents that follow an instruction: a dash if tabs before their lines do not count, and their last line. */
function hereDocuments(line: string): (readonly [dash: string, name: string])[] {
  const [, rest = ""] = /^(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\s+(?!\[.*\]$)(.*)/is.exec(line) ?? [];
  return splitWords(rest.replaceAll(/<<(-?)\s+/g, "<<$1"), "\\").flatMap((word) => {
    const [, dash = "", name = ""] = /^\d*<<(-?)([^<]+)$/.exec(word) ?? [];
    return name === "" ? [] : [[dash, name.replaceAll(/["']/g, "")] as const];
  });
}
