import { isTgoError, TgoError, type TgoErrorCode } from "@tgo/errors";

/** One thing that is wrong, as a report shows it; the same fields as a TgoError. */
export interface Problem {
  readonly code: TgoErrorCode;
  readonly what: string;
  readonly where?: string | undefined;
  readonly remedy?: string | undefined;
}

/** A foreseen failure as a problem of the report. Being stopped is no problem of an image, nor is a defect. */
export function problemOf(error: unknown): Problem {
  if (!isTgoError(error) || error.code === "INTERRUPTED") throw error;
  const { code, what, where, remedy } = error;
  return { code, what, where, remedy };
}

export function problemError({ code, what, where, remedy }: Problem): TgoError {
  return new TgoError(code, what, { where, remedy });
}
