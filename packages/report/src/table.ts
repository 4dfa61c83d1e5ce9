/** A cell: its lines, and how to paint them once they are padded. */
export interface Cell {
  readonly lines: readonly string[];
  readonly paint?: (text: string) => string;
  readonly align?: "left" | "right";
}

export function cell(text: string | readonly string[], paint?: Cell["paint"], align?: Cell["align"]): Cell {
  return { lines: typeof text === "string" ? [text] : text, paint, align };
}

/**
 * Rows under a header, columns as wide as their widest line, two spaces between them.
 * The last column takes what is left of the width, and its lines are wrapped into it.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: { width: number; indent: string; paintHeader: (text: string) => string },
): string[] {
  const title = (text: string, column: number): Cell =>
    cell(text, options.paintHeader, rows[0]?.[column]?.align);
  const cells = [header.map(title), ...rows];
  const widths = header.map((_, column) =>
    Math.max(...cells.flatMap((row) => row[column]?.lines.map((line) => line.length) ?? [])),
  );
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, options.indent.length);
  const last = Math.max(20, options.width - before);
  return cells.flatMap((row) => {
    const fitted = row.map((each, column) =>
      column === header.length - 1
        ? { ...each, lines: each.lines.flatMap((line) => wrap(line, last)) }
        : each,
    );
    const height = Math.max(1, ...fitted.map((each) => each.lines.length));
    return Array.from({ length: height }, (_, index) => {
      const parts = fitted.map((each, column) => {
        const text = each.lines[index] ?? "";
        const width = column === header.length - 1 ? text.length : (widths[column] ?? 0);
        const padded = each.align === "right" ? text.padStart(width) : text.padEnd(width);
        return each.paint === undefined || text === "" ? padded : each.paint(padded);
      });
      return (options.indent + parts.join("  ")).trimEnd();
    });
  });
}

/**
 * Breaks a line at spaces so that it fits; a word longer than the width stays whole (it may be a path). An indented
 * line is somebody's output or an item of a list, and stays as it is.
 */
export function wrap(line: string, width: number): string[] {
  if (line.length <= width || line.startsWith(" ")) return [line];
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    if (current !== "" && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else {
      current = current === "" ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}
