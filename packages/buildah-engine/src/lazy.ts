/** A computation made once, when first asked for; a failed one is made again at the next asking. */
export class Lazy<T> {
  #made: Promise<T> | undefined;
  readonly #make: () => Promise<T> | T;

  constructor(make: () => Promise<T> | T) {
    this.#make = make;
  }

  get(): Promise<T> {
    this.#made ??= Promise.resolve()
      .then(this.#make)
      .catch((error: unknown) => {
        this.#made = undefined;
        throw error;
      });
    return this.#made;
  }
}

export function lazy<T>(make: () => Promise<T> | T): Lazy<T> {
  return new Lazy(make);
}

/** Runs at most `limit` tasks at once. */
export class Semaphore {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#free = limit;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}

/** One run at a time for a key; whoever asks meanwhile gets the same result. */
export class SingleFlight<T> {
  readonly #running = new Map<string, Promise<T>>();

  run(key: string, task: () => Promise<T>): Promise<T> {
    const running = this.#running.get(key);
    if (running) return running;
    const started = task().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }
}
