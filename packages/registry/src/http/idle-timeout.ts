/** Aborts a request when no data has moved for too long. */
export class IdleTimeout {
  expired = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly timeoutMs: number,
    private readonly abort: AbortController,
  ) {
    this.restart();
  }

  restart(): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.abort.abort();
    }, this.timeoutMs);
    // The connection keeps the process alive; its timeout must not.
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
