import type { Retry } from "@tgo/registry";
import type { Progress } from "@tgo/progress";

/** Shorter waits are not worth a line, in milliseconds. */
const REPORTED_MS = 3000;

/**
 * Reports waits before retries, so that a registry that asks for minutes does not look like a program that hangs.
 * Requests that wait at the same time are reported once.
 * @param now milliseconds
 */
export function retryProgress(
  progress: Progress,
  registry: string,
  now: () => number = () => performance.now(),
): (retry: Retry) => void {
  let reportedUntil = 0;
  return ({ action, reason, waitMs }) => {
    const until = now() + waitMs;
    if (waitMs < REPORTED_MS || until < reportedUntil + REPORTED_MS) return;
    reportedUntil = until;
    progress.note(
      { step: "wait", registry },
      `${action}: ${reason}; retrying in ${Math.round(waitMs / 1000)} s`,
    );
  };
}
