import { TgoError } from "@tgo/errors";
import { nearestName } from "./nearest-name.js";

/** The error for an unknown name: it suggests the nearest known one and lists all of them. */
export function unknownName(kind: string, name: string, known: readonly string[]): TgoError {
  const nearest = nearestName(name, known);
  const suggestion = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return new TgoError("USAGE", `there is no ${kind} "${name}"${suggestion}`, {
    remedy: `Known: ${known.join(", ") || "none"}.`,
  });
}
