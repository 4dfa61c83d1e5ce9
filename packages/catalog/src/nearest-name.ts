import { closest, distance } from "fastest-levenshtein";

/**
 * The known name that was probably meant, ignoring case: the nearest by edit distance, else the only one that the typed name
 * is a part or an abbreviation of ("api" of tgo-api, "md" of markdown); undefined when none is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const typed = name.toLowerCase();
  const lowerCase = known.map((each) => each.toLowerCase());
  const nearest = closest(typed, lowerCase);
  const isNear = distance(typed, nearest) <= Math.min(Math.max(2, name.length / 3), name.length - 1);
  if (isNear) return known[lowerCase.indexOf(nearest)];
  const [only, ...others] = known.filter((_, index) => abbreviates(typed, lowerCase[index] ?? ""));
  return others.length === 0 ? only : undefined;
}

/** Whether a name contains a word, or starts with its first letter and has the others in their order. */
function abbreviates(word: string, name: string): boolean {
  if (word.length < 2) return false;
  if (name.includes(word)) return true;
  let at = 0;
  for (const letter of name) if (letter === word[at]) at += 1;
  return name[0] === word[0] && at === word.length;
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
