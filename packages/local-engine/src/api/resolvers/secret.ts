import { basename, resolve } from "node:path";
import { TgoError } from "@tgo/errors";
import { homeFolder, readInputFile, readReason, runProgram } from "@tgo/host";
import { lazy } from "../../lazy.js";
import type { SecretState } from "../../state.js";
import type { Fields } from "./field.js";

/** @throws TgoError USAGE for an unsupported scheme, and on first use for a missing value */
export function secretFrom(uri: string): SecretState {
  const [, scheme = "", rest = ""] = /^(\w+):\/\/([\s\S]*)$/.exec(uri) ?? [];
  const readers: Record<string, () => Promise<string>> = {
    env: () => {
      const value = process.env[rest];
      if (value === undefined)
        throw new TgoError("USAGE", `the environment variable ${rest} is not set`, {
          remedy: `export ${rest}=…`,
        });
      return Promise.resolve(value);
    },
    file: async () => {
      const path = resolve(rest.replace(/^~(?=\/)/, homeFolder(process.env)));
      const { bytes } = await readInputFile(path, { pipe: true }).catch((cause: unknown) => {
        throw new TgoError("USAGE", `cannot read the secret's file: ${readReason(cause)}`, {
          where: rest,
          cause,
        });
      });
      return bytes.toString();
    },
    cmd: async () => {
      const { stdout, exitCode } = await runProgram("sh", { args: ["-c", rest], env: process.env });
      if (exitCode !== 0) throw new TgoError("USAGE", "the secret's command failed", { where: rest });
      return stdout.trimEnd();
    },
  };
  const read = readers[scheme];
  if (!read)
    throw new TgoError("USAGE", `the local engine does not support secrets from ${scheme}://`, {
      remedy: "use env://, file:// or cmd://",
    });
  const value = lazy(read);
  return { name: basename(rest), uri, plaintext: () => value.get() };
}

export const secretFields = {
  plaintext: (state: SecretState) => state.plaintext(),
} satisfies Fields<SecretState>;
