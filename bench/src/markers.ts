import { TgoError } from "@tgo/errors";

const BEGIN = "<!-- bench:begin, written by npm run bench -->";
const END = "<!-- bench:end -->";

/**
 * Replaces the section between a document's two markers.
 * @throws TgoError SOURCE if the markers are missing or in the wrong order
 */
export function replaceBetweenMarkers(document: string, section: string): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) {
    throw new TgoError("SOURCE", "the document has no markers for the results", {
      remedy: `Add the lines ${BEGIN} and ${END}.`,
    });
  }
  return `${document.slice(0, begin + BEGIN.length)}\n\n${section}\n\n${document.slice(end)}`;
}
