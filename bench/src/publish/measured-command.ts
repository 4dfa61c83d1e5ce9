import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** A command, from its start to its end. */
export interface MeasuredCommand {
  /** Wall clock. */
  readonly seconds: number;
  /** Processor time of the command and of all it started, user and system; on Dagger's engine, the engine's too. */
  readonly processorSeconds: number;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandToMeasure {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Whether Dagger's engine works for it. */
  readonly onDagger?: boolean;
}

/** A shell waits for the command, and tells the processor time of all that ended: the second line of `times`. */
const SHELL = `"$@" 3>&-; code=$?; times >&3; exit "$code"`;

/**
 * As the first process of a namespace, the shell inherits processes whose parent was killed, servers of smoke runs among
 * them: without it, nobody's time would have theirs.
 */
const NAMESPACE = "unshare --pid --fork --mount-proc --kill-child".split(" ");

/** A new /proc shows the namespace's processes; the kernel's emulators have to be mounted there again. */
const EMULATORS = "mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc";

/** Runs a command and measures it, as root with all that outlives its parent. */
export async function measureCommand({
  argv,
  cwd,
  env,
  timeoutMs,
  signal,
  onDagger = false,
}: CommandToMeasure): Promise<MeasuredCommand> {
  const engine = onDagger ? engineSeconds : () => 0;
  const before = engine();
  const started = performance.now();
  const isRoot = process.getuid?.() === 0;
  const [program = "", ...args] = [
    ...(isRoot ? NAMESPACE : []),
    ...["bash", "-c", isRoot ? `${EMULATORS} 2>/dev/null; ${SHELL}` : SHELL, "bash"],
    ...argv,
  ];
  const stdio: ("ignore" | "pipe")[] = ["ignore", "pipe", "pipe", "pipe"];
  const child = spawn(program, args, { cwd, env, stdio, signal, timeout: timeoutMs });
  const [stdout, stderr, times] = [child.stdout, child.stderr, child.stdio[3]].map(textOf);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return {
    seconds: (performance.now() - started) / 1000,
    processorSeconds: processorSeconds(times?.text ?? "") + engine() - before,
    code,
    stdout: stdout?.text ?? "",
    stderr: stderr?.text ?? "",
  };
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

/** Ticks per second in /proc: USER_HZ, the same on all Linux machines of ours. */
const TICKS = 100;

/** Processor time of Dagger's engine and of what it started and has ended; 0 where its process is not to be seen. */
function engineSeconds(): number {
  const numbers = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return numbers.reduce((sum, number) => {
    try {
      const stat = readFileSync(`/proc/${number}/stat`, "utf8");
      const [, name = ""] = /\((.*)\)/.exec(stat) ?? [];
      if (name !== "dagger-engine") return sum;
      // After the name: state is field 3; utime, stime, cutime, cstime are 14 to 17. See proc(5).
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      return sum + fields.slice(11, 15).reduce((ticks, field) => ticks + Number(field), 0) / TICKS;
    } catch {
      return sum;
    }
  }, 0);
}
