import { TgoError } from "@tgo/errors";

/** The value of a variable; undefined if it is not set. */
export type Variables = (name: string) => string | undefined;

/** A name, or one character: https://pubs.opengroup.org/onlinepubs/009695399/utilities/xcu_chap02.html#tag_02_05_02 */
const NAME = /\d+|[@*#?$!-]|[\p{L}_][\p{L}\d_]*|/uy;

/**
 * Replaces variables and removes quotes, by BuildKit's rules: $X, ${X}, and ${X} with :- - :+ + :? ? # ## % %% / //.
 * @throws TgoError SOURCE
 * @see https://github.com/moby/buildkit/blob/v0.21.0/frontend/dockerfile/shell/lex.go
 */
export function expand(source: string, variables: Variables, escape = "\\"): string {
  let at = 0;
  const match = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [found = ""] = pattern.exec(source) ?? [];
    at += found.length;
    return found;
  };
  const fail = (problem: string): never => {
    throw new TgoError("SOURCE", `cannot expand ${source}: ${problem}`);
  };

  /** Up to a character, which is skipped. */
  const readTo = (stop: string | undefined, keepEscapes = false): string => {
    let text = "";
    for (let char = source[at]; char !== undefined && char !== stop; char = source[at]) {
      at++;
      if (char === "$") text += readVariable();
      else if (char === escape) {
        const next = match(/.?/suy);
        const isQuoted = stop === '"' && next !== stop && next !== "$" && next !== escape;
        text += (keepEscapes || isQuoted ? escape : "") + next;
      } else if (stop === '"' || !/["']/.test(char)) text += char;
      else if (char === '"') text += readTo(char, keepEscapes);
      else text += match(/[^']*/y) + (match(/'/y) || fail("' is missing")).slice(1);
    }
    if (stop !== undefined && !source[at++]) fail(`${stop} is missing`);
    return text;
  };

  const readVariable = (): string => {
    if (source[at] !== "{") {
      const name = match(NAME);
      return name === "" ? "$" : (variables(name) ?? "");
    }
    at++;
    const name = match(NAME);
    const operator = match(/:?[-+?]|[#%/]|\}|/y);
    if (name === "" || operator === "") fail("this substitution is not supported");
    const value = variables(name) ?? "";
    const isSet = value !== "" || (variables(name) === "" && !operator.startsWith(":"));
    if (operator === "}") return value;
    if (operator === "/") {
      const flags = match(/\/?/y) === "" ? "u" : "gu";
      const pattern = new RegExp(toRegExp(readTo("/", true)), flags);
      const replacement = readTo("}", true);
      return value.replace(pattern, () => replacement);
    }
    if (/[#%]/.test(operator)) return trim(value, readTo("}", true), operator);
    const word = readTo("}");
    if (operator.endsWith("+")) return isSet ? word : "";
    if (isSet) return value;
    return operator.endsWith("-") ? word : fail(`${name}: ${word || "must be set"}`);
  };

  return readTo(undefined);
}

/** Removes the shortest prefix (#) or suffix (%) that matches; the longest, if the pattern starts with # or % once more. */
function trim(value: string, word: string, operator: string): string {
  const isLongest = word.startsWith(operator);
  const pattern = new RegExp(`^(?:${toRegExp(isLongest ? word.slice(1) : word)})$`, "u");
  for (let index = 0; index <= value.length; index++) {
    const at = isLongest === (operator === "#") ? value.length - index : index;
    const parts = [value.slice(0, at), value.slice(at)] as const;
    const [removed, rest] = operator === "#" ? parts : [parts[1], parts[0]];
    if (pattern.test(removed)) return rest;
  }
  return value;
}

/** A shell's pattern as a regular expression. */
function toRegExp(pattern: string): string {
  return pattern.replaceAll(/\\?[^]/gu, (part) => {
    if (part === "*") return ".*";
    if (part === "?") return ".";
    return part.slice(-1).replace(/[\\^$.*+?()[\]{}|/]/u, String.raw`\$&`);
  });
}
