/** A command in a container that ended with another exit code than expected. */
export interface ExecFailure extends Error {
  readonly cmd: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The failed command behind an error of the SDK. By its fields: the SDK in a module's runtime does not export its
 * ExecError class, and the npm package's is another one.
 */
export function execFailure(error: unknown): ExecFailure | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("exitCode" in error && "stdout" in error && "stderr" in error) return error as ExecFailure;
  return execFailure(error.cause);
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The end of what a command printed, indented. */
export function lastLines({ stdout, stderr }: Pick<ExecFailure, "stdout" | "stderr">, count: number): string {
  return `${stdout}\n${stderr}`
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-count)
    .map((line) => `  | ${line}`)
    .join("\n");
}
