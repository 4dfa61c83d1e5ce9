import { DISK_FULL, TgoError, shellQuote } from "@tgo/errors";

export function interrupted(): TgoError {
  return new TgoError("INTERRUPTED", "the engine was stopped before this step finished");
}

/** @param home the engine's folder, where it is known */
export function diskFull(cause: unknown, home?: string): TgoError {
  return new TgoError("ENVIRONMENT", `${DISK_FULL}: the step was aborted, and none of it was kept`, {
    ...(home === undefined ? {} : { where: home }),
    remedy: "free some space, or move the engine's cache to another disk with XDG_CACHE_HOME",
    cause,
  });
}

/** Whether a system call failed on a file of the engine's folder. */
export function isOfStore(error: unknown, home: string): error is Error {
  const { path, syscall } = (error ?? {}) as { path?: unknown; syscall?: unknown };
  return syscall !== undefined && typeof path === "string" && path.startsWith(`${home}/`);
}

/** What is kept between runs can be made again. */
export function damaged(cause: Error, home: string): TgoError {
  return new TgoError(
    "ENVIRONMENT",
    `the engine's cache folder is damaged, or its disk fails: ${cause.message}`,
    {
      where: home,
      remedy: `run the same command again; if it fails again, remove the folder while no engine runs: rm -rf ${shellQuote(home)}`,
      cause,
    },
  );
}
