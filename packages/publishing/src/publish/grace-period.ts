import pTimeout from "p-timeout";

/** Grace period for optional registries, where it is better to know what they hold: milliseconds. */
export const GRACE_PERIOD_MS = 5000;

/** An optional registry is given up after this time, in milliseconds; its clients allow the same for retries. */
export const OPTIONAL_LIMIT_MS = 30 * 60_000;

/**
 * The result of work that is not waited for longer than this.
 * @returns undefined when the time is over; the work goes on, and what becomes of it is no longer asked
 */
export function withinTime<T>(work: Promise<T>, milliseconds: number): Promise<T | undefined> {
  // A rejection after the time is over has nobody to handle it.
  work.catch(() => undefined);
  return pTimeout(work, { milliseconds, fallback: () => undefined });
}
