/** A command in a container that ended with an unexpected exit code. */
export interface ExecFailure extends Error {
  readonly cmd: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The failed command that caused an SDK error. Recognized by its fields, because the SDK in a module's runtime does not
 * export its ExecError class, and the npm package's class is a different one.
 */
export function execFailure(error: unknown): ExecFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("exitCode" in error && "stdout" in error && "stderr" in error) return error as ExecFailure;
  return execFailure(error.cause);
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The last lines of a command's output, indented. */
export function lastLines({ stdout, stderr }: Pick<ExecFailure, "stdout" | "stderr">, count: number): string {
  return `${stdout}\n${stderr}`
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("tgo-progress: "))
    .slice(-count)
    .map((line) => `  | ${line}`)
    .join("\n");
}
