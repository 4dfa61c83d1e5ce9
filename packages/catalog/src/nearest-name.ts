import { closest, distance } from "fastest-levenshtein";

/** The known name that was probably meant: the nearest by edit distance, ignoring case; undefined when none is near. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const typed = name.toLowerCase();
  const lowerCase = known.map((each) => each.toLowerCase());
  const nearest = closest(typed, lowerCase);
  return distance(typed, nearest) <= Math.max(2, name.length / 3)
    ? known[lowerCase.indexOf(nearest)]
    : undefined;
}
