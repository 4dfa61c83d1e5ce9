import { TgoError } from "@tgo/errors";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { parseSecretSource } from "./addresses.js";

const run = promisify(execFile);

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
      return readFile(path, "utf8").catch((cause: unknown) => {
        throw new TgoError("USAGE", `the file cannot be read (--${flag})`, {
          where: path,
          remedy: "Check the path and its permissions.",
          cause,
        });
      });
    }
    case "cmd": {
      const { stdout } = await run("sh", ["-c", value], { cwd, env: { ...env }, maxBuffer: 4 << 20 }).catch(
        (cause: unknown) => {
          throw new TgoError("USAGE", `--${flag}: the command failed: ${value}`, { cause });
        },
      );
      return stdout.replace(/\n$/, "");
    }
  }
}
