type Paint = (text: string) => string;

export type Colors = Readonly<Record<"bold" | "dim" | "red" | "green" | "yellow", Paint>>;

/** ANSI's "select graphic rendition" codes, ECMA-48 section 8.3.117; if not wanted, the text as it is. */
export function colors(wanted: boolean): Colors {
  const paint = (on: number, off: number): Paint =>
    wanted ? (text) => `\x1b[${on}m${text}\x1b[${off}m` : (text) => text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
  };
}
