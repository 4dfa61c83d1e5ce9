/**
 * Why a line of .dockerignore is not a pattern, to follow a colon; undefined if it is one.
 * @see https://pkg.go.dev/path/filepath#Match
 */
export function patternProblem(pattern: string): string | undefined {
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === "\\") at++;
    else if (char === "[") {
      const end = endOfClass(pattern, at);
      if (typeof end === "string") return end;
      at = end;
    }
    if (at >= pattern.length) return "it ends with a backslash";
  }
  return undefined;
}

/** The position of the closing bracket, or the problem. */
function endOfClass(pattern: string, start: number): number | string {
  let before: string | undefined;
  for (let at = start + 1; at < pattern.length; at++) {
    let char = pattern[at] ?? "";
    if (char === "]") return at;
    if (char === "\\") char = pattern[++at] ?? "";
    const last = pattern[at + 1] === "-" ? pattern[at + 2] : undefined;
    if (before === undefined && char === "^") continue;
    before = char;
    if (last !== undefined && last !== "]" && last !== "\\" && last < char)
      return `the range ${char}-${last} is in the wrong order`;
  }
  return 'a "[" is not closed; write \\[ for the character itself';
}
