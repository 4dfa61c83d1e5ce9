import { TgoError, type TgoErrorCode } from "@tgo/errors";
import { execFailure } from "../exec-failure.js";
import { buildError } from "../build-error.js";

interface Told {
  readonly code: TgoErrorCode;
  readonly what: string;
  readonly where: string | null;
  readonly remedy: string | null;
}

/**
 * What a program of this folder has told, as our error; anything else as a failed build step.
 * The message says it all, so the command's own error is not kept as its cause.
 * @param step what was being done, for what the program did not foresee
 */
export function programError(step: string, name: string, error: unknown): Error {
  const told = /^tgo-problem: (.*)$/m.exec(execFailure(error)?.stderr ?? "")?.[1];
  if (told === undefined) return buildError(`${step} of ${name}`, PYTHON_REMEDY, error);
  // The program is ours and of the same build: its output needs no schema.
  const { code, what, where, remedy } = JSON.parse(told) as Told;
  return new TgoError(code, `${name}: ${what}`, { where: where ?? undefined, remedy: remedy ?? undefined });
}

/** What a failed build of this strategy most often means. */
export const PYTHON_REMEDY =
  "If the lock is out of date: lock again and commit it. If a package has no wheel for a platform: choose a " +
  "version that has one. If the index cannot be reached: set mirrors.pypi in tgo.catalog.json, or pass --mirror pypi=URL.";
