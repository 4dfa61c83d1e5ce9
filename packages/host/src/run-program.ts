import { TgoError } from "@tgo/errors";
import { spawn, type ChildProcess } from "node:child_process";
import { absolutePath } from "./folders.js";

export interface ProgramOptions {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Written to its standard input. */
  readonly input?: string | Uint8Array;
  /** Of what it prints; "latin1" keeps every byte. Default utf8. */
  readonly encoding?: "utf8" | "latin1";
  /** Milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
  /** Bytes of standard output. Default 4 MiB. */
  readonly maxBytes?: number;
  /** What the reader should do if it takes too long or prints too much. */
  readonly remedy?: string;
  /** Whether its error output is shown if it takes too long: not that of a program that handles credentials. */
  readonly showsErrors?: boolean;
}

export interface ProgramResult {
  readonly stdout: string;
  readonly stderr: string;
  /** 1 if a signal ended it. */
  readonly exitCode: number;
}

const TIMEOUT_MS = 30_000;
const MAX_BYTES = 4 << 20;
const MAX_ERROR_BYTES = 64 << 10;
/** A program may leave a service behind that keeps its output open. */
const CLOSE_MS = 500;

/**
 * Runs a program of the caller's, such as a credential helper, to its end. It gets a process group of its own, which is
 * killed when the time is over, when it prints too much, and when this process exits. Folders of `PATH` that are relative do
 * not count, for it and for the programs it starts.
 * @throws Error from `spawn`, with its `code`, if the program cannot be started
 * @throws TgoError ENVIRONMENT naming the program; never its output, unless `showsErrors` allows it
 */
export async function runProgram(program: string, options: ProgramOptions): Promise<ProgramResult> {
  const {
    args,
    env,
    cwd,
    input = "",
    encoding = "utf8",
    timeoutMs = TIMEOUT_MS,
    maxBytes = MAX_BYTES,
    remedy,
    showsErrors,
  } = options;
  const child = spawn(program, args, {
    env: env.PATH === undefined ? { ...env } : { ...env, PATH: absolutePath(env.PATH) },
    stdio: "pipe",
    detached: process.platform !== "win32",
    ...(cwd === undefined ? {} : { cwd }),
  });
  const kill = (): void => {
    killGroup(child);
  };
  process.once("exit", kill);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<ProgramResult>((resolve, reject) => {
      const stop = (what: string): void => {
        kill();
        reject(new TgoError("ENVIRONMENT", `${program} ${what}`, remedy === undefined ? {} : { remedy }));
      };
      timer = setTimeout(() => {
        const last = showsErrors === true ? stderr().trim().split("\n").slice(-5).join("\n") : "";
        const said = last === "" ? "" : `; it said\n${last}`;
        stop(`did not finish within ${timeoutMs / 1000} s and was stopped${said}`);
      }, timeoutMs);
      const stdout = collect(child.stdout, maxBytes, () => {
        stop(`printed more than ${maxBytes >> 20} MiB and was stopped`);
      });
      const stderr = collect(child.stderr, MAX_ERROR_BYTES, () => undefined);
      const finish = (code: number | null): void => {
        resolve({ stdout: stdout(encoding), stderr: stderr(), exitCode: code ?? 1 });
      };
      child.on("error", reject);
      child.on("close", finish);
      child.on("exit", (code) => setTimeout(finish, CLOSE_MS, code).unref());
      // A program that does not read its input has not failed: its exit code decides.
      child.stdin.on("error", () => undefined);
      child.stdin.end(input);
    });
  } finally {
    clearTimeout(timer);
    process.off("exit", kill);
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

/** @returns a function that returns the text so far */
function collect(
  stream: NodeJS.ReadableStream,
  maxBytes: number,
  onTooMuch: () => void,
): (encoding?: BufferEncoding) => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else onTooMuch();
  });
  return (encoding = "utf8") => Buffer.concat(chunks).toString(encoding);
}
