/** Says more about a code. Started like this, it is this repository's, whatever `tgo` is on the PATH. */
export const EXPLAIN = "npx --no-install tgo explain";

/** Part of a remedy: prose to read, or command lines to copy. */
export type RemedyPart =
  { readonly kind: "prose"; readonly text: string } | { readonly kind: "commands"; readonly text: string };

/** Splits a remedy: lines that end like a sentence are prose, the others are commands, which are never wrapped. */
export function remedyParts(remedy: string): RemedyPart[] {
  const parts: RemedyPart[] = [];
  for (const line of remedy.split("\n")) {
    const kind = /[.:]$/.test(line.trimEnd()) ? "prose" : "commands";
    const last = parts.at(-1);
    if (last?.kind === kind) parts[parts.length - 1] = { kind, text: `${last.text}\n${line}` };
    else parts.push({ kind, text: line });
  }
  return parts;
}
