import stringWidth from "string-width";

/** The lines of a cell, and how to colour them once they are padded. */
export interface Cell {
  readonly lines: readonly string[];
  readonly paint?: (text: string) => string;
  readonly align?: "left" | "right";
}

export function cell(text: string | readonly string[], style: Pick<Cell, "paint" | "align"> = {}): Cell {
  return { lines: typeof text === "string" ? [text] : text, ...style };
}

export interface TableOptions {
  /** Columns of the terminal; the last column wraps into what is left of them. */
  readonly width: number;
  readonly indent: string;
  readonly paintHeader: (text: string) => string;
}

/** Fewest terminal columns of the last column, however narrow the terminal. */
const MIN_LAST = 20;

/**
 * Rows under a header, two spaces between columns, each column as wide as its widest line. Widths are terminal
 * columns: Chinese characters and emoji take two.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  { width, indent, paintHeader }: TableOptions,
): string[] {
  const title = (text: string, column: number): Cell => {
    const align = rows[0]?.[column]?.align;
    return cell(text, { paint: paintHeader, ...(align === undefined ? {} : { align }) });
  };
  const cells = [header.map(title), ...rows];
  const widths = header.map((_, column) =>
    Math.max(...cells.flatMap((row) => row[column]?.lines.map((line) => stringWidth(line)) ?? [])),
  );
  const before = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, indent.length);
  const last = Math.max(MIN_LAST, width - before);
  return cells.flatMap((row) => {
    const wrapped = row.map((each, column) =>
      column === header.length - 1
        ? { ...each, lines: each.lines.flatMap((line) => wrap(line, last)) }
        : each,
    );
    const height = Math.max(1, ...wrapped.map((each) => each.lines.length));
    return Array.from({ length: height }, (_, index) => {
      const parts = wrapped.map((each, column) => {
        const text = each.lines[index] ?? "";
        const padding = " ".repeat(
          column === header.length - 1 ? 0 : Math.max(0, (widths[column] ?? 0) - stringWidth(text)),
        );
        const padded = each.align === "right" ? padding + text : text + padding;
        return each.paint === undefined || text === "" ? padded : each.paint(padded);
      });
      return (indent + parts.join("  ")).trimEnd();
    });
  });
}

/**
 * Breaks a line at spaces to fit a number of terminal columns. A longer word stays whole: it may be a path. So does an
 * indented line: it is program output or a list item.
 */
export function wrap(line: string, width: number): string[] {
  if (line.startsWith(" ") || stringWidth(line) <= width) return [line];
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    const longer = current === "" ? word : `${current} ${word}`;
    if (current !== "" && stringWidth(longer) > width) {
      lines.push(current);
      current = word;
    } else {
      current = longer;
    }
  }
  return [...lines, current];
}
