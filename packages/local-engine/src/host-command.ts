import { saysDiskFull, TgoError } from "@tgo/errors";
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
  // One for each stream: between two chunks of a line may come a chunk of the other.
  for (const [stream, chunks] of [[child.stdout, stdout] as const, [child.stderr, stderr] as const]) {
    const lines = options.onLine && lineSplitter(options.onLine);
    stream?.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      lines?.push(chunk);
      // Whoever reads lines needs no more than the end, for the error.
      if (lines !== undefined && chunks.length > 200) chunks.splice(0, 100);
    });
    stream?.on("end", () => lines?.end());
  }
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
  if (saysDiskFull(message) || /wrote only \d+ of/i.test(message)) throw diskFull(message);
  throw new TgoError(
    "INTERNAL",
    `${argv.slice(0, 3).join(" ")} … failed with ${code === null ? "a signal" : `exit code ${code}`}: ${message}`,
  );
}
