import { isTgoError, TgoError } from "@tgo/errors";
import { execFailure, lastLines, errorMessage } from "./exec-failure.js";

/**
 * A failed command of a build as an error of ours: which step, the end of what it printed, what to do.
 * Anything else that went wrong keeps its own message.
 */
export function buildError(step: string, remedy: string, error: unknown): Error {
  if (isTgoError(error)) return error;
  const failure = execFailure(error);
  if (failure === undefined) {
    return new TgoError("BUILD", `${step} failed: ${errorMessage(error)}`, { remedy, cause: error });
  }
  return new TgoError(
    "BUILD",
    `${step} failed with exit code ${failure.exitCode}\n${lastLines(failure, 25)}`,
    {
      remedy,
      cause: error,
    },
  );
}
