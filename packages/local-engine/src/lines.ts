import { StringDecoder } from "node:string_decoder";

/** The longest line that is passed on, in characters; the rest of a longer one is dropped. */
export const LONGEST_LINE = 64 * 1024;

export interface LineSplitter {
  readonly push: (chunk: Buffer) => void;
  /** Passes on what follows the last line break. */
  readonly end: () => void;
}

/**
 * Calls back for each complete, non-empty line of one stream, wherever its chunks are split.
 * @param onLine receives whole lines only, so that whatever is masked in a line is found in it
 */
export function lineSplitter(onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const add = (text: string): void => {
    const parts = (rest + text).split(/\r?\n|\r/);
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") onLine(part);
    // Twice the limit is kept, so that what reaches over it is masked before the line is cut.
    if (rest.length > 2 * LONGEST_LINE) rest = rest.slice(0, 2 * LONGEST_LINE);
  };
  return {
    push: (chunk) => {
      add(decoder.write(chunk));
    },
    end: () => {
      add(`${decoder.end()}\n`);
    },
  };
}

/** A masked line, cut to {@link LONGEST_LINE}. */
export function cutLine(line: string): string {
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line;
}
