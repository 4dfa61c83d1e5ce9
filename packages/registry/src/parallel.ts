import pLimit from "p-limit";

/**
 * Maps with at most `limit` items in progress. After the first failure no further item is started; it is thrown
 * once the items in progress have ended, so that nothing runs on behind the caller's back.
 */
export async function inParallel<T, R>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const failures: unknown[] = [];
  const results = await pLimit(limit).map(items, async (item) => {
    if (failures.length > 0) return undefined;
    try {
      return await work(item);
    } catch (error) {
      failures.push(error);
      return undefined;
    }
  });
  if (failures.length > 0) throw failures[0];
  return results as R[];
}

/** Runs what it is given with at most `limit` in progress; the others wait in order. */
export function concurrencyLimit(limit: number): <R>(work: () => Promise<R>) => Promise<R> {
  const queue = pLimit(limit);
  return (work) => queue(work);
}
