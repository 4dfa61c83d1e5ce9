import { detailsOf, innerCause, isTgoError, TgoError } from "@tgo/errors";
import { execFailure, lastLines, errorMessage } from "./exec-failure.js";

/**
 * What the engine's machine lacks, whatever step it failed: disk space, emulation. Undefined if the step itself failed.
 * @param step "building api"
 */
export function machineFailure(step: string, error: unknown): TgoError | undefined {
  const inner = innerCause(error);
  if (inner?.code !== "ENVIRONMENT") return undefined;
  return new TgoError("ENVIRONMENT", `${step} failed: ${inner.what}`, {
    ...detailsOf(inner),
    cause: error,
  });
}

/**
 * Describes a failed build command: the step, the end of its output, and what to do.
 * Other errors keep their own message.
 */
export function buildError(step: string, remedy: string, error: unknown): Error {
  if (isTgoError(error)) return error;
  const refused = refusedLine(error);
  if (refused !== undefined) return refused;
  const lacking = machineFailure(step, error);
  if (lacking !== undefined) return lacking;
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

/** The local engine's error about a line of a Dockerfile, with its own remedy. */
function refusedLine(error: unknown): TgoError | undefined {
  const [, what, remedy] = /^(line \d+ of [^\n]+)\n {2}([^\n]+)$/.exec(errorMessage(error)) ?? [];
  if (what === undefined || remedy === undefined) return undefined;
  return new TgoError("BUILD", what, { remedy, cause: error });
}
