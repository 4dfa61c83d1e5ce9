import type { Retry } from "@tgo/registry";
import type { Progress } from "@tgo/progress";

/** Shorter waits are over before anybody wonders, in milliseconds. */
const WORTH_A_LINE_MS = 3000;

/**
 * Tells of waits before further tries, so that a registry that asks for minutes does not look like a program that
 * hangs. Requests that wait at the same time are told once.
 * @param now milliseconds
 */
export function retryProgress(
  progress: Progress,
  registry: string,
  now: () => number = () => performance.now(),
): (retry: Retry) => void {
  let toldUntil = 0;
  return ({ action, reason, waitMs }) => {
    const until = now() + waitMs;
    if (waitMs < WORTH_A_LINE_MS || until < toldUntil + WORTH_A_LINE_MS) return;
    toldUntil = until;
    progress.note(
      { step: "wait", registry },
      `${action}: ${reason}; again in ${Math.round(waitMs / 1000)} s`,
    );
  };
}
