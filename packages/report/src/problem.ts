import { isTgoError, oneLine } from "@tgo/errors";
import type { Problem } from "./report.js";

/** What Dagger's engine adds to its messages, for tracing tools: https://www.w3.org/TR/trace-context/ */
const TRACE = / ?\[traceparent:[0-9a-f-]+\]/g;

/** Any thrown value as a problem of a report. */
export function problemOf(error: unknown): Problem {
  if (isTgoError(error)) {
    const { code, where, remedy } = error;
    return { code, what: error.what.replaceAll(TRACE, ""), where, remedy };
  }
  return { code: "INTERNAL", what: oneLine(error).replaceAll(TRACE, "") };
}
