import stringWidth from "string-width";
import { columnWidths } from "./column-widths.js";
import { fold } from "./fold.js";

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
  /** Columns of the terminal. */
  readonly width: number;
  readonly indent: string;
  readonly paintHeader: (text: string) => string;
}

const GAP = 2;
/** Fewest terminal columns of the last column. */
const MIN_LAST = 20;

/**
 * Rows under a header, two spaces between columns. A table wider than the terminal breaks its cells at spaces; where even
 * that does not fit, because a column has a long path or digest, each row becomes a block of named fields. Widths are
 * terminal columns: Chinese characters and emoji take two.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  options: TableOptions,
): string[] {
  const { width, indent, paintHeader } = options;
  const title = (text: string, column: number): Cell => {
    const align = rows[0]?.[column]?.align;
    return cell(text, { paint: paintHeader, ...(align === undefined ? {} : { align }) });
  };
  const cells = [header.map(title), ...rows];
  const room = width - indent.length - GAP * (header.length - 1);
  const needs = header.map((_, column) => {
    const need = needOf(cells.flatMap((row) => row[column]?.lines ?? []));
    // A long path in the last column moves nothing beside it.
    return column === header.length - 1 ? { ...need, word: Math.min(need.word, MIN_LAST) } : need;
  });
  const widths = columnWidths(needs, room);
  if (widths === undefined) return blocks(header, rows, options);
  return cells.flatMap((row) => {
    const wrapped = row.map((each, column) => ({
      ...each,
      lines: each.lines.flatMap((line) => wrap(line, widths[column] ?? 0)),
    }));
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
      return (indent + parts.join(" ".repeat(GAP))).trimEnd();
    });
  });
}

/** The terminal columns of a table without a broken line. */
export function tableWidth(header: readonly string[], rows: readonly (readonly Cell[])[]): number {
  const widths = header.map((title, column) =>
    needOf([title, ...rows.flatMap((row) => row[column]?.lines ?? [])]),
  );
  return widths.reduce((sum, { line }) => sum + line, GAP * (header.length - 1));
}

/** The width of the longest line, and of the longest word, which is never broken. */
function needOf(lines: readonly string[]): { readonly line: number; readonly word: number } {
  return {
    line: Math.max(0, ...lines.map((line) => stringWidth(line))),
    word: Math.max(
      0,
      ...lines
        .flatMap((line) => (line.startsWith(" ") ? [line] : line.split(" ")))
        .map((word) => stringWidth(word)),
    ),
  };
}

/** Each row as its first cell, and the others below it, each after its title; equal ones share a line. */
function blocks(
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  { width, indent, paintHeader }: TableOptions,
): string[] {
  const [, ...titles] = header;
  const folded = rows.map((row) => ({ first: row[0], fields: fieldsOf(titles, row.slice(1)) }));
  const longest = Math.max(
    0,
    ...folded.flatMap(({ fields }) => fields.map(({ title }) => stringWidth(title))),
  );
  const pad = (text: string): string => text + " ".repeat(Math.max(0, longest - stringWidth(text)));
  return folded.flatMap(({ first, fields }) => {
    const paint = first?.paint ?? ((text: string) => text);
    const heading = (first?.lines ?? []).filter((line) => line !== "");
    return [
      ...heading.flatMap((line) => wrap(line, width - indent.length)).map((line) => indent + paint(line)),
      ...fields.flatMap(({ title, cell: { lines, paint: paintCell = (text: string) => text } }) =>
        lines
          .flatMap((line) => wrap(line, width - indent.length - longest - 4))
          .map((line, index) =>
            `${indent}  ${paintHeader(pad(index === 0 ? title : ""))}  ${paintCell(line)}`.trimEnd(),
          ),
      ),
    ];
  });
}

function fieldsOf(titles: readonly string[], cells: readonly Cell[]): { title: string; cell: Cell }[] {
  const named = cells.map((each, column) => [titles[column] ?? "", each] as const);
  const filled = named.filter(([, { lines }]) => lines.some((line) => line !== "" && line !== "-"));
  return fold(filled, ({ lines }) => JSON.stringify(lines)).map(({ value, names }) => ({
    title: names.join(", "),
    cell: value,
  }));
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

/** A wrapped text after a first word or number: later lines are indented below its start. */
export function hanging(prefix: string, line: string, width: number): string[] {
  const pad = " ".repeat(stringWidth(prefix));
  return wrap(line, width - stringWidth(prefix)).map((part, index) => `${index === 0 ? prefix : pad}${part}`);
}
