import { TgoError } from "@tgo/errors";
import { closest, distance } from "fastest-levenshtein";

/** The known name that was probably meant, if one is near enough. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined;
  const candidate = closest(name.toLowerCase(), [...known]);
  return distance(name.toLowerCase(), candidate.toLowerCase()) <= Math.max(2, name.length / 3)
    ? candidate
    : undefined;
}

/** The error for a flag's value that is none of the possible ones. */
export function unknownValue(flag: string, value: string, known: readonly string[]): TgoError {
  const near = nearest(value, known);
  const hint = near === undefined ? "" : `; did you mean "${near}"?`;
  return new TgoError("USAGE", `--${flag} cannot be "${value}"${hint}`, {
    remedy: `Use one of: ${known.join(", ")}.`,
  });
}
