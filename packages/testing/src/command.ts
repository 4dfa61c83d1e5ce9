import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { TgoError } from "@tgo/errors";

const execute = promisify(execFile);

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** What the reader should do when the command fails. */
  readonly remedy?: string;
}

/**
 * Runs a program until it ends.
 * @returns its standard output
 * @throws TgoError ENVIRONMENT with the last lines of its standard error
 */
export async function command(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      maxBuffer: 256 * 1024 * 1024,
    });
    return stdout;
  } catch (cause) {
    throw commandError(program, args, cause, options.remedy);
  }
}

/** Runs a shell script with `set -e`; its arguments are `$1`, `$2`, … and need no quoting. */
export function script(text: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return command("sh", ["-ec", text, "sh", ...args], options);
}

function commandError(program: string, args: readonly string[], cause: unknown, remedy?: string): TgoError {
  const failed = (typeof cause === "object" ? cause : null) as Partial<
    Record<"stdout" | "stderr" | "code", unknown>
  >;
  const text = [failed.stderr, failed.stdout].find(
    (output) => typeof output === "string" && output.trim() !== "",
  );
  const shown = program === "sh" ? "a script" : [program, ...args.slice(0, 3)].join(" ");
  const output =
    typeof text === "string"
      ? text.trimEnd().split("\n").slice(-5).join("\n")
      : `exit ${String(failed.code)}`;
  const what = failed.code === "ENOENT" ? `${program} is not installed` : `${shown} failed: ${output}`;
  return new TgoError("ENVIRONMENT", what, { cause, ...(remedy === undefined ? {} : { remedy }) });
}
