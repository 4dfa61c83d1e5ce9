import pTimeout from "p-timeout";

/** Grace period for optional registries, where it is useful to know what they have; milliseconds. */
export const GRACE_PERIOD_MS = 5000;

/** An optional registry is given up after this time; its client's retries have the same limit. Milliseconds. */
export const OPTIONAL_LIMIT_MS = 30 * 60_000;

/**
 * Waits for work no longer than this.
 * @param stop ends the wait too, with its reason as the error
 * @returns its result; undefined after the limit. The work goes on, and its result or error is ignored.
 */
export function withinTime<T>(
  work: Promise<T>,
  milliseconds: number,
  stop?: AbortSignal,
): Promise<T | undefined> {
  // After the limit nobody handles a rejection.
  work.catch(() => undefined);
  return pTimeout(work, {
    milliseconds,
    fallback: () => undefined,
    ...(stop === undefined ? {} : { signal: stop }),
  });
}
