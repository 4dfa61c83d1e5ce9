import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Answer, Job } from "./job.js";

export interface RunOptions {
  readonly program: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const KILLED_AFTER_MS = 15_000;

/** Runs one job in a process of its own. A process that dies or takes too long is a failed answer, not an error. */
export async function runJob(job: Job, { program, env, timeoutMs, signal }: RunOptions): Promise<Answer> {
  // Not what this process was started with: the loader of TypeScript would be measured too.
  const child = fork(program, [], { env, execArgv: [], stdio: ["ignore", "pipe", "pipe", "ipc"] });
  let printed = "";
  const keep = (chunk: Buffer): void => {
    printed = (printed + chunk.toString()).slice(-4000);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  let answer: Answer | undefined;
  child.on("message", (message) => {
    answer = message as Answer;
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
    end(`given up after ${Math.round(timeoutMs / 60_000)} minutes (--timeout)`);
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
  return answer ?? { kind: "failed", message: `the building process ended without an answer\n${printed}` };
}

/** Asks a process to end what it runs, and ends it when it does not. */
function stop(child: ChildProcess): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILLED_AFTER_MS);
  child.once("exit", () => {
    clearTimeout(timer);
  });
}
