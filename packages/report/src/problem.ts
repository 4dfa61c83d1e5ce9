import { isTgoError, oneLine } from "@tgo/errors";
import type { Problem } from "./report.js";

/** Any thrown value as a problem of a report. */
export function problemOf(error: unknown): Problem {
  if (isTgoError(error)) {
    return { code: error.code, what: error.what, where: error.where, remedy: error.remedy };
  }
  return { code: "INTERNAL", what: oneLine(error) };
}
