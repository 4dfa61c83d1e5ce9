import type { HostOptions } from "@tgo/functions";
import { isTgoError, TgoError } from "@tgo/errors";
import { readInputFile, readReason, runProgram } from "@tgo/host";
import { resolve } from "node:path";
import { parse } from "shell-quote";
import type { Settings } from "./settings.js";

/** A key management service may ask somebody, or be far away. */
const TIMEOUT_MS = 60_000;
const WHERE = "--signing-command";
/** Stands for the digest in base64, for services that take it as an argument. */
const DIGEST = "{digest}";

export type SigningCommand = NonNullable<HostOptions["signWith"]>;

/**
 * Reads the public key of a signing command, which is not run yet.
 * @returns undefined where none was given
 * @throws TgoError USAGE for one of the two flags without the other, a command that needs a shell, and a file that cannot
 * be read
 */
export async function readSigningCommand(
  { signingCommand, signingPublicKey }: Pick<Settings, "signingCommand" | "signingPublicKey">,
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): Promise<SigningCommand | undefined> {
  if (signingCommand === undefined && signingPublicKey === undefined) return undefined;
  if (signingCommand === undefined || signingPublicKey === undefined)
    throw new TgoError("USAGE", "--signing-command and --signing-public-key are given together", {
      remedy: "The public key says which key the command signs with; whoever verifies needs it, too.",
    });
  const [program = "", ...args] = wordsOf(signingCommand);
  const path = resolve(cwd, signingPublicKey);
  const { bytes } = await readInputFile(path).catch((cause: unknown) => {
    throw new TgoError("USAGE", `the file cannot be read (--signing-public-key): ${readReason(cause)}`, {
      where: path,
      cause,
    });
  });
  return {
    publicKey: bytes.toString(),
    signDigest: async (digest) => {
      const base64 = Buffer.from(digest).toString("base64");
      const { stdout, stderr, exitCode } = await run(program, {
        ...{ env, cwd, input: digest, encoding: "latin1", timeoutMs: TIMEOUT_MS, showsErrors: true },
        args: args.map((word) => word.replaceAll(DIGEST, () => base64)),
      });
      if (exitCode === 0) return Buffer.from(stdout, "latin1");
      const said = stderr.trim().split("\n").slice(-5).join("\n");
      throw new TgoError(
        "ENVIRONMENT",
        `${program} ended with ${exitCode}${said === "" ? "" : `:\n${said}`}`,
        {
          where: WHERE,
          remedy: "Nothing was signed. Try the command by itself, and then run the same command again.",
        },
      );
    },
  };
}

/** Words as in a shell, but no shell: nothing in them is a command of its own. */
function wordsOf(command: string): string[] {
  const words = parse(command, (name) => `$${name}`);
  const isPlain = (word: (typeof words)[number]): word is string => typeof word === "string";
  if (words.length > 0 && words.every(isPlain)) return words;
  throw new TgoError("USAGE", "the signing command is not one program with its arguments", {
    where: WHERE,
    remedy: "It is run without a shell. Put pipes and patterns into a script, and name the script.",
  });
}

async function run(
  program: string,
  options: Parameters<typeof runProgram>[1],
): ReturnType<typeof runProgram> {
  try {
    return await runProgram(program, options);
  } catch (cause) {
    if (isTgoError(cause)) throw cause;
    throw new TgoError("USAGE", `${program} cannot be run`, {
      where: WHERE,
      remedy: "Check that it is installed, and that PATH has it.",
      cause,
    });
  }
}
