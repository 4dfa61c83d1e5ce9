import { ExecError } from "@dagger.io/dagger";
import { isTgoError, TgoError } from "@tgo/errors";

/**
 * A failed command of a build as an error of ours: which step, the end of what it printed, what to do.
 * Anything else that went wrong keeps its own message.
 */
export function buildError(step: string, remedy: string, error: unknown): Error {
  if (isTgoError(error)) return error;
  const exec = execErrorOf(error);
  if (exec === undefined) {
    const message = error instanceof Error ? error.message : String(error);
    return new TgoError("BUILD", `${step} failed: ${message}`, { remedy, cause: error });
  }
  const output = lastLines(`${exec.stdout}\n${exec.stderr}`, 25);
  return new TgoError("BUILD", `${step} failed with exit code ${exec.exitCode}\n${output}`, {
    remedy,
    cause: error,
  });
}

function execErrorOf(error: unknown): ExecError | undefined {
  if (error instanceof ExecError) return error;
  if (error instanceof Error && error.cause !== undefined) return execErrorOf(error.cause);
  return undefined;
}

export function lastLines(text: string, count: number): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines
    .slice(-count)
    .map((line) => `  | ${line}`)
    .join("\n");
}
