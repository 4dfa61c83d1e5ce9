import { spawn, type StdioOptions } from "node:child_process";
import { TgoError } from "@tgo/errors";

export interface CommandOptions {
  readonly cwd?: string | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly input?: string | Buffer | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: ((line: string) => void) | undefined;
}

/**
 * Runs a tool of the host to its end and returns its standard output.
 * @throws TgoError ENVIRONMENT when the disk is full, INTERRUPTED, else INTERNAL with
 * the tool's own words.
 */
export async function command(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const [file = "", ...args] = argv;
  const stdio: StdioOptions = [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"];
  // The signal of the kernel ends the tool with us, however we end.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", file, ...args], {
    stdio,
    cwd: options.cwd,
    env: options.env ?? process.env,
    signal: options.signal,
    killSignal: "SIGKILL",
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
  const said = Buffer.concat(stderr).toString().trim();
  if (/no space left on device|wrote only \d+ of/i.test(said)) throw diskFull(said);
  throw new TgoError("INTERNAL", `${argv.slice(0, 3).join(" ")} … ended with ${code ?? "a signal"}: ${said}`);
}

export function interrupted(): TgoError {
  return new TgoError("INTERRUPTED", "the engine was stopped before this step ended");
}

export function diskFull(cause: unknown): TgoError {
  return new TgoError("ENVIRONMENT", "the disk is full: the step was given up, nothing of it was kept", {
    remedy: "free some space, or put the engine's cache elsewhere with XDG_CACHE_HOME",
    cause,
  });
}

/** Calls back for each complete line of the chunks it is given. */
export function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = "";
  return (chunk) => {
    const parts = (rest + chunk.toString()).split(/\r?\n|\r/);
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") onLine(part);
  };
}
