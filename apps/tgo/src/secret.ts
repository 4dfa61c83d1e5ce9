import { isTgoError, TgoError } from "@tgo/errors";
import { readInputFile, readReason, runProgram, type ProgramResult } from "@tgo/host";
import { resolve } from "node:path";
import { parseSecretSource } from "./addresses.js";

/** Where a secret's source is looked up. */
export interface SecretContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * Reads a secret on this machine, before an engine is started.
 * @throws TgoError USAGE naming the flag and the source, never the value
 */
export async function readSecret(flag: string, text: string, { env, cwd }: SecretContext): Promise<string> {
  const { kind, value } = parseSecretSource(flag, text);
  switch (kind) {
    case "env": {
      const found = env[value];
      if (found !== undefined && found !== "") return found;
      throw new TgoError("USAGE", `--${flag}: the environment variable ${value} is not set`);
    }
    case "file": {
      const path = resolve(cwd, value);
      // A shell's <(command) is a pipe.
      const { bytes } = await readInputFile(path, { pipe: true }).catch((cause: unknown) => {
        throw new TgoError("USAGE", `the file cannot be read (--${flag}): ${readReason(cause)}`, {
          where: path,
          remedy: "Check the path and its permissions.",
          cause,
        });
      });
      return bytes.toString();
    }
    case "cmd": {
      const { stdout, exitCode } = await runCommand(flag, value, { env, cwd });
      if (exitCode !== 0) throw new TgoError("USAGE", `--${flag}: the command failed: ${value}`);
      return stdout.replace(/\n$/, "");
    }
  }
}

async function runCommand(
  flag: string,
  command: string,
  { env, cwd }: SecretContext,
): Promise<ProgramResult> {
  try {
    return await runProgram("sh", { args: ["-c", command], env, cwd });
  } catch (cause) {
    const reason = isTgoError(cause) ? cause.what.replace(/^sh /, "it ") : "it cannot be run";
    throw new TgoError("USAGE", `--${flag}: the command failed: ${command}: ${reason}`, { cause });
  }
}
