/**
 * Any text as literal text on one line: a registry's reply may contain HTML, emphasis, links or line breaks, which must
 * not be rendered.
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

/** Any text as code on one line. @see https://github.github.com/gfm/#code-spans */
export function code(raw: string): string {
  const line = raw.replaceAll("\n", " ");
  if (line.trim() === "") return "";
  const ticks = "`".repeat(longestRun(line) + 1);
  // Renderers strip one space next to the ticks.
  const space = /^`|`$|^ .* $/.test(line) ? " " : "";
  return `${ticks}${space}${line}${space}${ticks}`;
}

/** A block of commands, or of their output. @see https://github.github.com/gfm/#fenced-code-blocks */
export function fence(raw: string, language: "sh" | "text"): string {
  const ticks = "`".repeat(Math.max(3, longestRun(raw) + 1));
  return `${ticks}${language}\n${raw}\n${ticks}`;
}

function longestRun(raw: string): number {
  return Math.max(0, ...[...raw.matchAll(/`+/g)].map(([ticks]) => ticks.length));
}

/** A table of cells that are Markdown already. @see https://github.github.com/gfm/#tables-extension- */
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
