import { detailsOf, isTgoError, oneLine, type TgoErrorCode } from "./error.js";

/** An error as plain data: what a report shows and a JSON document holds. */
export interface Problem {
  readonly code: TgoErrorCode;
  readonly what: string;
  readonly where?: string;
  readonly remedy?: string;
}

/** What Dagger's engine appends to its messages for tracing tools: https://www.w3.org/TR/trace-context/ */
const TRACE = / ?\[traceparent:[0-9a-f-]+\]/g;

/** Any thrown value as a problem; everything but a TgoError is INTERNAL. */
export function problemOf(error: unknown): Problem {
  if (!isTgoError(error)) return { code: "INTERNAL", what: oneLine(error).replaceAll(TRACE, "") };
  return { code: error.code, what: error.what.replaceAll(TRACE, ""), ...detailsOf(error) };
}

/**
 * A foreseen failure as a problem of what is being checked.
 * @throws the error itself when it is a defect (no TgoError) or the caller's interruption
 */
export function foreseenProblem(error: unknown): Problem {
  if (!isTgoError(error) || error.code === "INTERRUPTED") throw error;
  return problemOf(error);
}
