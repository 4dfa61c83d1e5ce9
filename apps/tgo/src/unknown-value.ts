import { nearestName } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";

/** The error for a flag value that is not one of the allowed ones. */
export function unknownValue(flag: string, value: string, known: readonly string[]): TgoError {
  const nearest = nearestName(value, known);
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new TgoError("USAGE", `--${flag} cannot be "${value}"${hint}`, {
    remedy: `Use one of: ${known.join(", ")}.`,
  });
}
