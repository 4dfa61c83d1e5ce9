import { spawn } from "node:child_process";

/** One `tgo publish`, measured from the command to the digest. */
export interface PublishRun {
  /** Wall clock. */
  readonly seconds: number;
  /** Processor time of the command and of all it started, user and system; a daemon's is not in it. */
  readonly processorSeconds: number;
  /** Of the index that was published. */
  readonly digest: string;
}

export interface PublishCommand {
  /** The checkout whose `tgo` runs. */
  readonly checkout: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A shell waits for the command, and tells the processor time of all that ended: the second line of `times`. */
const SHELL = `"$@" 3>&-; code=$?; times >&3; exit "$code"`;

/** @throws Error with the end of what it printed */
export async function runPublish(command: PublishCommand): Promise<PublishRun> {
  const { checkout, args, env, timeoutMs, signal } = command;
  const started = performance.now();
  const child = spawn(
    "bash",
    ["-c", SHELL, "bash", process.execPath, "apps/tgo/bin/tgo.js", "publish", ...args],
    { cwd: checkout, env, stdio: ["ignore", "pipe", "pipe", "pipe"], signal, timeout: timeoutMs },
  );
  const [stdout, stderr, times] = [child.stdout, child.stderr, child.stdio[3]].map(textOf);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const seconds = (performance.now() - started) / 1000;
  const digest = /"digest": *"(sha256:[0-9a-f]{64})"/.exec(stdout?.text ?? "")?.[1];
  if (code !== 0 || digest === undefined)
    throw new Error(`tgo publish ended with ${code ?? "a signal"}\n${(stderr?.text ?? "").slice(-2000)}`);
  return { seconds, processorSeconds: processorSeconds(times?.text ?? ""), digest };
}

function textOf(stream: unknown): { text: string } {
  const read = { text: "" };
  (stream as NodeJS.ReadableStream).on("data", (chunk: Buffer) => (read.text += chunk.toString()));
  return read;
}

/** From the output of the shell's `times`: the sum of its children's user and system time. */
export function processorSeconds(times: string): number {
  const [, children = ""] = times.trim().split("\n");
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  );
}
