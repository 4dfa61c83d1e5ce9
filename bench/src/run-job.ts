import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Job, JobResult } from "./job.js";

export interface RunOptions {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const KILL_AFTER_MS = 15_000;

/** Runs one job in a process of its own. A process that dies or takes too long is a failed result, not an error. */
export async function runJob(job: Job, { program, env, timeoutMs, signal }: RunOptions): Promise<JobResult> {
  // No execArgv of this process: its TypeScript loader would be measured too.
  const child = fork(program, [], { env, execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let output = "";
  const keepOutput = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-4000);
  };
  child.stdout?.on("data", keepOutput);
  child.stderr?.on("data", keepOutput);
  let result: JobResult | undefined;
  child.on("message", (message) => {
    result = message as JobResult;
  });
  let reason: string | undefined;
  const end = (why: string): void => {
    reason ??= why;
    stop(child);
  };
  const onAbort = (): void => {
    end("interrupted");
  };
  signal.addEventListener("abort", onAbort);
  const timer = setTimeout(() => {
    end(`timed out after ${Math.round(timeoutMs / 60_000)} minutes (--timeout)`);
  }, timeoutMs);
  const closed = once(child, "close");
  child.send(job);
  if (signal.aborted) onAbort();
  await closed.catch((error: unknown) => {
    reason ??= String(error);
  });
  clearTimeout(timer);
  signal.removeEventListener("abort", onAbort);
  if (reason !== undefined) return { kind: "failed", message: reason };
  return result ?? { kind: "failed", message: `the build process ended without a result\n${output}` };
}

/** Ends a process: SIGTERM first, then SIGKILL. */
function stop(child: ChildProcess): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  child.once("exit", () => {
    clearTimeout(timer);
  });
}
