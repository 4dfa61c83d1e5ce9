import { isTgoError, TgoError, type TgoErrorCode } from "./error.js";

const NO_SPACE = /no space left on device|\bENOSPC\b|disk quota exceeded|\bEDQUOT\b/i;
/** The disk of another machine: what a registry said. */
const SERVER = /unexpected status|\b(?:status|HTTP)\S* 5\d\d\b|\b5\d\d (?:Internal|Insufficient)/i;

/** How every error of ours about a full disk of this machine begins. */
export const DISK_FULL = "the disk is full";

/** Whether a disk of this machine, or its quota, is full: by a system call, a program, or an error of ours that says so. */
export function isDiskFull(error: unknown): boolean {
  const inner = innerCause(error);
  return inner?.code === "ENVIRONMENT" && inner.what.startsWith(DISK_FULL);
}

/** Whether a program said that a disk of this machine, or its quota, is full. */
export function saysDiskFull(output: string): boolean {
  return NO_SPACE.test(output) && !SERVER.test(output);
}

function hasNoSpace(error: Error): boolean {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown };
  const text = `${error.message}\n${typeof stderr === "string" ? stderr : ""}`;
  return code === "ENOSPC" || code === "EDQUOT" || saysDiskFull(text);
}

/**
 * What stands behind an error, however often it was wrapped: an error of ours that crossed a session as data (GraphQL
 * extensions), or a full disk. Undefined if the error says all there is.
 */
export function innerCause(thrown: unknown): TgoError | undefined {
  let at = thrown;
  for (let depth = 0; at instanceof Error && depth < 8; depth++) {
    if (isTgoError(at)) return at;
    const carried = carriedError(at);
    if (carried !== undefined) return carried;
    if (hasNoSpace(at)) return diskFull(at);
    at = at.cause;
  }
  return undefined;
}

function carriedError(error: Error): TgoError | undefined {
  const { code, what, where, remedy } = (error as { extensions?: Record<string, unknown> }).extensions ?? {};
  if (typeof code !== "string" || typeof what !== "string") return undefined;
  return new TgoError(code as TgoErrorCode, what, {
    ...(typeof where === "string" ? { where } : {}),
    ...(typeof remedy === "string" ? { remedy } : {}),
    cause: error,
  });
}

function diskFull(cause: Error): TgoError {
  const { path } = cause as { path?: unknown };
  const said = cause.message.split("\n").find((line) => NO_SPACE.test(line));
  return new TgoError("ENVIRONMENT", `${DISK_FULL}${said === undefined ? "" : `: ${said.trim()}`}`, {
    ...(typeof path === "string" ? { where: path } : {}),
    remedy:
      "Free disk space, or move what needs it to another disk: TMPDIR for temporary files, XDG_CACHE_HOME for the " +
      "local engine's cache. Then run the same command again.",
    cause,
  });
}
