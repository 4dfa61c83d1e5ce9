import { detailsOf, isTgoError, oneLine, TgoError, type TgoErrorCode } from "./error.js";
import { innerCause } from "./inner-cause.js";

/** An error as plain data: what a report shows and a JSON document holds. */
export interface Problem {
  readonly code: TgoErrorCode;
  readonly what: string;
  readonly where?: string;
  readonly remedy?: string;
}

/** What Dagger's engine appends to its messages for tracing tools: https://www.w3.org/TR/trace-context/ */
const TRACE = / ?\[traceparent:[0-9a-f-]+\]/g;

/** Any thrown value as a problem; INTERNAL if no TgoError and no full disk stands behind it. */
export function problemOf(thrown: unknown): Problem {
  const error = innerCause(thrown);
  if (error === undefined) return { code: "INTERNAL", what: oneLine(thrown).replaceAll(TRACE, "") };
  return { code: error.code, what: error.what.replaceAll(TRACE, ""), ...detailsOf(error) };
}

/** The error that a problem was. */
export function errorOf({ code, what, ...details }: Problem): TgoError {
  return new TgoError(code, what, details);
}

/**
 * A foreseen failure as a problem of what is being checked.
 * @throws the error itself when it is a defect (no TgoError) or the caller's interruption
 */
export function foreseenProblem(error: unknown): Problem {
  if (!isTgoError(error) || error.code === "INTERRUPTED") throw error;
  return problemOf(error);
}
