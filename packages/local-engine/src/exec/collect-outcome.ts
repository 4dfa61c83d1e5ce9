import { TgoError } from "@tgo/errors";
import { interrupted } from "../errors.js";
import { lineSplitter } from "../lines.js";
import { killSandbox } from "./sandbox.js";
import type { StartedJob } from "./start-job.js";

/** How a command ended; secrets are redacted. */
export interface Outcome {
  readonly cmd: readonly string[];
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CollectOptions {
  readonly onLine: (line: string) => void;
  /** Kills the command. */
  readonly signal: AbortSignal;
  /** Rejects when something the command depends on fails, which kills the command. */
  readonly failed: Promise<never> | undefined;
}

/**
 * Waits for a command to end and collects its output.
 * @throws TgoError ENVIRONMENT if the sandbox could not be set up, INTERRUPTED by the signal
 */
export async function collectOutcome(
  { sandbox, args, scrub }: StartedJob,
  { onLine, signal, failed }: CollectOptions,
): Promise<Outcome> {
  const lines = lineSplitter((line) => {
    onLine(scrub(line));
  });
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const name of ["stdout", "stderr"] as const)
    sandbox.child[name]?.on("data", (chunk: Buffer) => {
      chunks[name].push(chunk);
      lines(chunk);
    });
  const kill = (): void => {
    killSandbox(sandbox);
  };
  signal.addEventListener("abort", kill);
  try {
    const ended = new Promise<number>((resolve, reject) => {
      sandbox.child.on("error", reject);
      sandbox.child.on("close", (code) => {
        resolve(code ?? 137);
      });
    });
    if (signal.aborted) kill();
    const exitCode = await (failed ? Promise.race([ended, failed]) : ended).catch(async (error: unknown) => {
      kill();
      await ended;
      throw error;
    });
    if (signal.aborted) throw interrupted();
    const text = (all: readonly Buffer[]): string => scrub(Buffer.concat(all).toString());
    const [stdout, stderr] = [text(chunks.stdout), text(chunks.stderr)];
    const errors = await sandbox.runtimeErrors();
    const outcome = { cmd: args.map(scrub), exitCode, stdout, stderr };
    if (sandbox.ready && errors === "") return outcome;
    const status = notExecutable(errors);
    if (sandbox.ready && status !== undefined) return { ...outcome, exitCode: status };
    throw new TgoError("ENVIRONMENT", `cannot set up the sandbox of a command: ${stderr.trim()}`, {
      remedy:
        "the engine needs the right to mount, and a local disk that supports overlay mounts: XDG_CACHE_HOME moves its folder",
    });
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

/** The exit code of a command that is not there or cannot be executed, as a shell has it; undefined for other errors. */
function notExecutable(errors: string): number | undefined {
  if (!/executable file|open executable|exec container process|chdir/.test(errors)) return undefined;
  return /no such file/i.test(errors) ? 127 : 126;
}
