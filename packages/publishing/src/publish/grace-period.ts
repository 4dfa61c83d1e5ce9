import { setTimeout as delay } from "node:timers/promises";

/** How long whoever need not be waited for is waited for all the same, where it is better to know: milliseconds. */
export const GRACE_PERIOD_MS = 5000;

/** Whether the work ended within this time, well or not; how it ended is its owner's to see to. */
export async function within(work: Promise<unknown>, milliseconds: number): Promise<boolean> {
  const stop = new AbortController();
  const ended = work.then(
    () => true,
    () => true,
  );
  const over = delay(milliseconds, false, { signal: stop.signal }).catch(() => false);
  const first = await Promise.race([ended, over]);
  stop.abort();
  return first;
}

/** A promise that somebody else keeps. */
export function promised<T>(): { readonly promise: Promise<T>; readonly keep: (value: T) => void } {
  let keep: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => {
    keep = resolve;
  });
  return {
    promise,
    keep: (value) => {
      keep(value);
    },
  };
}
