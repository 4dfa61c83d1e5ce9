import { TgoError } from "@tgo/errors";

const BEGIN = "<!-- bench:begin, written by npm run bench -->";
const END = "<!-- bench:end -->";

/**
 * A document with what is between its two markers replaced.
 * @throws TgoError SOURCE when it has not both of them, in this order
 */
export function replaceBetweenMarkers(document: string, section: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new TgoError("SOURCE", "the document has no place for the measurements", {
      remedy: `It needs the lines ${BEGIN} and ${END}.`,
    });
  }
  return `${document.slice(0, begin + BEGIN.length)}\n\n${section}\n\n${document.slice(end)}`;
}
