/**
 * The least speed of a body, in bytes per second of waiting, on average over the time limit. A fiftieth of what a 56k
 * modem delivers: a slow mirror passes, a server that sends a byte now and then does not.
 */
const LEAST_SPEED = 128;

/** Aborts a request when no data, or hardly any, has moved for too long. */
export class IdleTimeout {
  expired = false;
  /** Bytes since the time limit began. */
  moved = 0;
  #timer: NodeJS.Timeout | undefined;
  #leftMs: number;
  /** What was left of the time limit when bytes last moved. */
  #leftAtLastMs: number;
  #runningSince = 0;

  constructor(
    private readonly timeoutMs: number,
    private readonly abort: AbortController,
  ) {
    this.#leftMs = timeoutMs;
    this.#leftAtLastMs = timeoutMs;
    this.restart();
  }

  /** What must move within the time limit, in bytes. */
  get least(): number {
    return (LEAST_SPEED * this.timeoutMs) / 1000;
  }

  /** Whether bytes came until the end, only too few: a connection that broke is silent for half of the time limit. */
  get isSlow(): boolean {
    return this.moved > 0 && this.#leftAtLastMs < this.timeoutMs / 2;
  }

  /** The time limit begins anew. */
  restart(): void {
    this.stop();
    this.moved = 0;
    this.#leftMs = this.timeoutMs;
    this.#leftAtLastMs = this.timeoutMs;
    this.resume();
  }

  /** Counts bytes that have moved; once there are enough of them, the time limit begins anew. */
  add(bytes: number): void {
    this.moved += bytes;
    this.#leftAtLastMs = this.#left();
    if (this.moved >= this.least) this.restart();
  }

  /** Time passes again. */
  resume(): void {
    if (this.#timer !== undefined) return;
    this.#runningSince = performance.now();
    this.#timer = setTimeout(() => {
      this.expired = true;
      this.abort.abort();
    }, this.#leftMs);
    // The connection keeps the process alive; its timeout must not.
    this.#timer.unref();
  }

  /** No time passes. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#leftMs = this.#left();
    this.#timer = undefined;
  }

  #left(): number {
    if (this.#timer === undefined) return this.#leftMs;
    return Math.max(0, this.#leftMs - (performance.now() - this.#runningSince));
  }
}
