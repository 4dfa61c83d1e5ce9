import { TgoError } from "@tgo/errors";

/** The results of builds, or of whole publishes. */
const MARKERS = {
  bench: ["<!-- bench:begin, written by npm run bench -->", "<!-- bench:end -->"],
  publish: ["<!-- publish:begin, written by npm run bench -- publish --write -->", "<!-- publish:end -->"],
} as const;

/**
 * Replaces the section between a document's two markers.
 * @throws TgoError SOURCE if the markers are missing or in the wrong order
 */
export function replaceBetweenMarkers(
  document: string,
  section: string,
  name: keyof typeof MARKERS = "bench",
): string {
  const [first, last] = MARKERS[name];
  const begin = document.indexOf(first);
  const end = document.indexOf(last);
  if (begin < 0 || end < begin) {
    throw new TgoError("SOURCE", "the document has no markers for the results", {
      remedy: `Add the lines ${first} and ${last}.`,
    });
  }
  return `${document.slice(0, begin + first.length)}\n\n${section}\n\n${document.slice(end)}`;
}
