/**
 * The result of work that the engine does, or an error if it takes too long. The engine itself has no limits: it goes on
 * until the session ends.
 * @param late the error
 */
export async function withTimeLimit<T>(work: Promise<T>, seconds: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(late());
    }, seconds * 1000);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
