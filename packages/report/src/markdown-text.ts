/**
 * Any text as text, in one line: what a registry answers may hold HTML, emphasis, links or line breaks, and must be
 * read, not rendered.
 * @see https://github.github.com/gfm/#backslash-escapes
 */
export function text(raw: string): string {
  return raw
    .replaceAll(/[\\`*[\]~]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, (mark) => `\\${mark}`)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\n", "<br>");
}

/** Any text as code, in one line. @see https://github.github.com/gfm/#code-spans */
export function code(raw: string): string {
  const line = raw.replaceAll("\n", " ");
  if (line.trim() === "") return "";
  const ticks = "`".repeat(longestRun(line) + 1);
  // A space beside the ticks is taken away again.
  const space = /^`|`$|^ .* $/.test(line) ? " " : "";
  return `${ticks}${space}${line}${space}${ticks}`;
}

/** Lines of commands or of what they printed. @see https://github.github.com/gfm/#fenced-code-blocks */
export function fence(raw: string, language: "sh" | "text"): string {
  const ticks = "`".repeat(Math.max(3, longestRun(raw) + 1));
  return `${ticks}${language}\n${raw}\n${ticks}`;
}

function longestRun(raw: string): number {
  return Math.max(0, ...[...raw.matchAll(/`+/g)].map(([ticks]) => ticks.length));
}

/** Cells are Markdown already. @see https://github.github.com/gfm/#tables-extension- */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((each) => each.replaceAll("|", "\\|").replaceAll("\n", "<br>")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

export function indent(raw: string, by: string): string {
  return raw
    .split("\n")
    .map((line) => (line === "" ? line : by + line))
    .join("\n");
}
