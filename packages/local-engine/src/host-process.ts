import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";

/** Where programs of the host are looked up: the system's folders, never the caller's PATH. */
export const HOST_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The whole environment of a program of the host. Nothing of the caller's is in it, so nothing of it reaches an image. */
export const HOST_ENVIRONMENT = { PATH: HOST_PATH, HOME: "/", LC_ALL: "C.UTF-8", TZ: "UTC" } as const;

export interface HostProcessOptions {
  /** Default `/`, so that no program reads, or keeps busy, the folder of the caller. */
  readonly cwd?: string;
  /** Added to {@link HOST_ENVIRONMENT}. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio: NonNullable<SpawnOptions["stdio"]>;
  readonly signal?: AbortSignal;
  readonly detached?: boolean;
}

/**
 * Modes of new files, core files and the number of open files do not depend on the caller's shell. The limits on files are
 * Docker's, as far as this process may set them. The kernel kills the program when this process ends, however it ends.
 */
const START =
  'umask 022; { ulimit -c 0; ulimit -Sn 1024; ulimit -Hn 524288; } 2>/dev/null; exec setpriv --pdeathsig KILL "$@"';

/** Starts a program of the host. Every program that the engine needs is started here. */
export function startHostProcess(
  argv: readonly string[],
  { cwd = "/", env, stdio, signal, detached = false }: HostProcessOptions,
): ChildProcess {
  return spawn("/bin/sh", ["-c", START, "sh", ...argv], {
    stdio,
    cwd,
    env: { ...HOST_ENVIRONMENT, ...env },
    detached,
    killSignal: "SIGKILL",
    ...(signal === undefined ? {} : { signal }),
  });
}
