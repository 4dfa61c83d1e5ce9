/** What a column would like, and the least it can have: its longest line and its longest word, in terminal columns. */
export interface ColumnNeed {
  readonly line: number;
  readonly word: number;
}

/**
 * Divides a table's room among its columns. Columns that fit their share get what they need; the others share the rest, and
 * break their lines.
 * @param room terminal columns without the gaps
 * @returns undefined where the longest words do not fit side by side
 */
export function columnWidths(needs: readonly ColumnNeed[], room: number): number[] | undefined {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
  if (sum(needs.map(({ line }) => line)) <= room) return needs.map(({ line }) => line);
  const least = needs.map(({ word }) => word);
  let free = room - sum(least);
  if (free < 0) return undefined;
  const widths = [...least];
  // The modest first: what they leave of their share goes to the others.
  const order = needs.map((need, column) => ({ column, wanted: need.line - need.word }));
  order.sort((a, b) => a.wanted - b.wanted);
  order.forEach(({ column, wanted }, index) => {
    const share = Math.min(wanted, Math.floor(free / (order.length - index)));
    widths[column] = (least[column] ?? 0) + share;
    free -= share;
  });
  return widths;
}
