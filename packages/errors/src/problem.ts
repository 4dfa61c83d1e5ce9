import { isTgoError, oneLine, type TgoErrorCode } from "./error.js";

/** An error as plain data, with a TgoError's fields: what a report shows and a JSON document holds. */
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
  const { code, what, where, remedy } = error;
  return {
    code,
    what: what.replaceAll(TRACE, ""),
    ...(where === undefined ? {} : { where }),
    ...(remedy === undefined ? {} : { remedy }),
  };
}

/**
 * A foreseen failure as a problem.
 * @throws the error itself when it is a defect (no TgoError) or the caller's interruption: neither is a
 * property of what is being checked.
 */
export function foreseenProblem(error: unknown): Problem {
  if (!isTgoError(error) || error.code === "INTERRUPTED") throw error;
  return problemOf(error);
}
