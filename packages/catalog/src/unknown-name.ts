import { TgoError } from "@tgo/errors";
import { closest, distance } from "fastest-levenshtein";

/** The error for a name that is not one of the known ones: it names the nearest, and all of them. */
export function unknownName(kind: string, name: string, known: readonly string[]): TgoError {
  const nearest = known.length === 0 ? undefined : closest(name.toLowerCase(), known);
  const near = nearest !== undefined && distance(name.toLowerCase(), nearest) <= Math.max(2, name.length / 3);
  return new TgoError("USAGE", `there is no ${kind} "${name}"${near ? `; did you mean "${nearest}"?` : ""}`, {
    remedy: `Known: ${known.join(", ") || "none"}.`,
  });
}
