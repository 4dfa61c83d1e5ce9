import { TgoError } from "@tgo/errors";
import { interrupted } from "../errors.js";
import { cutLine, lineSplitter } from "../lines.js";
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

/** Of both streams together, in bytes. A command that prints more is killed. */
const MOST_OUTPUT = 256 << 20;

/**
 * Waits for a command to end and collects its output.
 * @throws TgoError ENVIRONMENT if the sandbox could not be set up, INTERRUPTED by the signal
 */
export async function collectOutcome(
  { sandbox, args, scrub }: StartedJob,
  { onLine, signal, failed }: CollectOptions,
): Promise<Outcome> {
  const kill = (): void => {
    killSandbox(sandbox);
  };
  const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  let bytes = 0;
  for (const name of ["stdout", "stderr"] as const) {
    // One for each stream: between two chunks of a line may come a chunk of the other.
    const lines = lineSplitter((line) => {
      onLine(cutLine(scrub.line(line)));
    });
    sandbox.child[name]?.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MOST_OUTPUT) {
        kill();
        return;
      }
      chunks[name].push(chunk);
      lines.push(chunk);
    });
    sandbox.child[name]?.on("end", lines.end);
  }
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
    if (bytes > MOST_OUTPUT) {
      throw new TgoError("BUILD", `a command printed more than ${MOST_OUTPUT >> 20} MB`, {
        where: scrub.result(args.join(" ")).slice(0, 200),
        remedy: "let it print less, or write to a file",
      });
    }
    const text = (all: readonly Buffer[]): string => scrub.result(Buffer.concat(all).toString());
    const [stdout, stderr] = [text(chunks.stdout), text(chunks.stderr)];
    const errors = await sandbox.runtimeErrors();
    const outcome = { cmd: args.map(scrub.result), exitCode, stdout, stderr };
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
