import type { Container } from "@dagger.io/dagger";
import { execFailure, type ExecFailure } from "@tgo/builders";
import pTimeout from "p-timeout";

/** A command that did not end in time. */
export class TimedOut extends Error {
  /** @param output what it had printed; undefined if only the engine knows */
  constructor(readonly output: Pick<ExecFailure, "stdout" | "stderr"> | undefined) {
    super("the command did not end in time");
  }
}

/** No command prints it by chance. */
const MARK = "tgo: the time is over";

/**
 * Kills the command from inside the container, so that what it printed is known: Dagger's API has no time limit. Programs
 * are looked up by hand, because a busybox shell runs its own under the name of its shell, which emulation loses.
 */
export const LIMIT_SCRIPT = `find() {
  program=$1
  case $1 in */*) return ;; esac
  IFS=:
  for folder in $PATH; do
    if [ -f "$folder/$1" ] && [ -x "$folder/$1" ]; then program=$folder/$1; break; fi
  done
  unset IFS
}
seconds=$1; shift
find sleep; sleep=$program
find "$1"; shift
"$program" "$@" & command=$!
{ "$sleep" "$seconds" 3>&- && echo "${MARK}" >&3 && kill -9 "$command"; } 3>&2 >/dev/null 2>&1 & timer=$!
wait "$command"; code=$?
kill "$timer" 2>/dev/null
exit "$code"`;

/** Time for the engine to start a container, in seconds: on a busy machine, an emulated one takes that long. */
const START_SECONDS = 60;

export interface LimitedRun {
  readonly command: readonly string[];
  readonly seconds: number;
}

/** Whether {@link runLimited} can stop a command in this image and tell what it printed. */
export async function hasShell(image: Container): Promise<boolean> {
  return (await image.exists("/bin/sh")) && (await image.exists("/bin/sleep"));
}

/**
 * Runs a command with a time limit, and returns its standard output. Without a shell in the image, the engine goes on
 * with a command that takes too long until the session ends, and what it printed stays unknown.
 * @throws TimedOut, or the engine's error
 */
export async function runLimited(
  container: Container,
  { command, seconds }: LimitedRun,
  shell: boolean,
): Promise<string> {
  const args = shell ? ["/bin/sh", "-c", LIMIT_SCRIPT, "sh", `${seconds}`, ...command] : [...command];
  try {
    return await pTimeout(container.withExec(args).stdout(), {
      milliseconds: (seconds + START_SECONDS) * 1000,
      message: new TimedOut(undefined),
    });
  } catch (error) {
    const failure = execFailure(error);
    if (failure?.stderr.includes(MARK) !== true) throw error;
    // What follows is the shell's: that the command was killed.
    throw new TimedOut({ stdout: failure.stdout, stderr: failure.stderr.split(MARK)[0] ?? "" });
  }
}
