import { TgoError, type TgoErrorCode } from "@tgo/errors";
import { execFailure } from "../exec-failure.js";
import { buildError } from "../build-error.js";

interface ReportedProblem {
  readonly code: TgoErrorCode;
  readonly what: string;
  readonly where: string | null;
  readonly remedy: string | null;
}

/**
 * Turns the failure of one of our Python programs into an error: the problem it reported (problem.py), or a failed
 * build step. A reported problem is complete, so the failed command is not kept as its cause.
 * @param step what the program was doing, for unexpected failures
 */
export function programError(step: string, name: string, error: unknown): Error {
  const reported = /^tgo-problem: (.*)$/m.exec(execFailure(error)?.stderr ?? "")?.[1];
  if (reported === undefined) return buildError(`${step} of ${name}`, PYTHON_REMEDY, error);
  // The program is ours, from the same build: its output needs no schema.
  const { code, what, where, remedy } = JSON.parse(reported) as ReportedProblem;
  return new TgoError(code, `${name}: ${what}`, {
    ...(where === null ? {} : { where }),
    ...(remedy === null ? {} : { remedy }),
  });
}

/** The most frequent causes of a failed Python build. */
export const PYTHON_REMEDY =
  "If the lock is out of date, lock again and commit it. If a package has no wheel for a platform, choose a " +
  "version that has one. If the index is unreachable, set mirrors.pypi in tgo.catalog.json or pass --mirror pypi=URL.";
