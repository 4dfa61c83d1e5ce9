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
  const waited = pTimeout(work, { milliseconds, fallback: () => undefined });
  return stop === undefined ? waited : Promise.race([waited, stopped(stop)]);
}

/** Rejects when the signal is aborted. p-timeout's own option leaves a rejection unhandled when the work fails. */
function stopped(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
