/** A value computed on first use. A failed computation is repeated on the next use. */
export interface Lazy<T> {
  get(): Promise<T>;
}

export function lazy<T>(compute: () => Promise<T> | T): Lazy<T> {
  let value: Promise<T> | undefined;
  const get = (): Promise<T> =>
    (value ??= Promise.resolve()
      .then(compute)
      .catch((error: unknown) => {
        value = undefined;
        throw error;
      }));
  return { get };
}
