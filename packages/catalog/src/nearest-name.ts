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

/**
 * The known name that is misspelt, if one is: one letter of a short name, two or three of a longer one, or two letters swapped.
 * Stricter than {@link nearestName}, for names that may belong to somebody else.
 */
export function misspeltName(name: string, known: readonly string[]): string | undefined {
  const sorted = (text: string): string => text.split("").sort().join("");
  return known.find((each) => {
    const edits = distance(name, each);
    return (
      edits <= (each.length < 6 ? 1 : each.length < 8 ? 2 : 3) ||
      (edits === 2 && sorted(name) === sorted(each))
    );
  });
}
