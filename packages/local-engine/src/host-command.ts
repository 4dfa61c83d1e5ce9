import { TgoError } from "@tgo/errors";
import { diskFull, interrupted } from "./errors.js";
import { startHostProcess } from "./host-process.js";
import { lineSplitter } from "./lines.js";

export interface HostCommandOptions {
  readonly cwd?: string;
  /** Added to the environment of host-process.ts. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
}

/**
 * Runs a tool of the host to its end and returns its standard output.
 * @throws TgoError ENVIRONMENT if the disk is full, INTERRUPTED by the signal, else INTERNAL with the tool's own message
 */
export async function runHostCommand(
  argv: readonly string[],
  options: HostCommandOptions = {},
): Promise<string> {
  const { cwd, env, signal } = options;
  const child = startHostProcess(argv, {
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
    ...(signal === undefined ? {} : { signal }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  const lines = options.onLine && lineSplitter(options.onLine);
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk) && lines?.(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk) && lines?.(chunk));
  child.stdin?.on("error", () => undefined);
  child.stdin?.end(options.input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", (error) => {
      reject(options.signal?.aborted ? interrupted() : error);
    });
    child.on("close", resolve);
  });
  if (code === 0) return Buffer.concat(stdout).toString();
  if (options.signal?.aborted) throw interrupted();
  const message = Buffer.concat(stderr).toString().trim();
  if (/no space left on device|wrote only \d+ of/i.test(message)) throw diskFull(message);
  throw new TgoError(
    "INTERNAL",
    `${argv.slice(0, 3).join(" ")} … failed with ${code === null ? "a signal" : `exit code ${code}`}: ${message}`,
  );
}
