/** Stops a request when nothing has moved for too long. */
export class IdleTimeout {
  expired = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly timeoutMs: number,
    private readonly abort: AbortController,
  ) {
    this.touch();
  }

  touch(): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.abort.abort();
    }, this.timeoutMs);
    // The connection keeps the process alive, not the watch over it.
    this.#timer.unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
