/**
 * The least speed of a body, in bytes per second of waiting, on average over the time limit. A fiftieth of what a 56k
 * modem delivers: a slow mirror passes, a server that sends a byte now and then does not.
 */
const LEAST_SPEED = 128;

/** A timer may fire this much early, in milliseconds. */
const TIMER_SLACK_MS = 2;

/**
 * Aborts a request when no data, or hardly any, has moved for too long. One answer has one time limit, whatever requests
 * it takes: attempts, redirects, the pages of a list, the parts of a blob. The limit begins anew when enough bytes have
 * moved, and once when a response begins.
 */
export class IdleTimeout {
  /** The present request was aborted. */
  expired = false;
  /** Bytes since the time limit began. */
  moved = 0;
  #abort = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #leftMs: number;
  #runningSince = 0;
  /** What was left of the time limit when bytes last moved, or a body began. */
  #leftAtLastMs: number;
  /** A body is due. One that is silent for half of the limit has broken off: half is left to get the rest. */
  #isBody = false;
  #hasAnswered = false;

  constructor(private readonly timeoutMs: number) {
    this.#leftMs = timeoutMs;
    this.#leftAtLastMs = timeoutMs;
  }

  /** What must move within the time limit, in bytes. */
  get least(): number {
    return (LEAST_SPEED * this.timeoutMs) / 1000;
  }

  /** No time is left for another request. */
  get isExhausted(): boolean {
    return this.#left() === 0;
  }

  /** Whether bytes came until the end, only too few: a connection that broke is silent for half of the time limit. */
  get isSlow(): boolean {
    return this.isExhausted && this.moved > 0 && this.#leftAtLastMs < this.timeoutMs / 2;
  }

  /** A request begins, which `abort` ends. */
  begin(abort: AbortController): void {
    this.stop();
    this.#abort = abort;
    this.expired = false;
    this.#isBody = false;
    this.resume();
  }

  /** A body is read, or sent. */
  beginBody(): void {
    this.stop();
    this.#isBody = true;
    this.#leftAtLastMs = this.#leftMs;
    this.resume();
  }

  /** A response has begun. No time passes until its body is read. */
  answered(): void {
    this.stop();
    if (!this.#hasAnswered) this.#restore();
    this.#hasAnswered = true;
  }

  /** The time limit begins anew; the server's turn to answer. */
  restart(): void {
    this.stop();
    this.#restore();
    this.#isBody = false;
    this.resume();
  }

  /** Counts bytes that have moved; once there are enough of them, the time limit begins anew. */
  add(bytes: number): void {
    this.moved += bytes;
    this.#leftAtLastMs = this.#left();
    if (this.moved < this.least) return;
    const isRunning = this.#timer !== undefined;
    this.stop();
    this.#restore();
    this.#hasAnswered = false;
    if (isRunning) this.resume();
  }

  /** Time passes again. */
  resume(): void {
    if (this.#timer !== undefined) return;
    this.#runningSince = performance.now();
    this.#wait();
  }

  /** No time passes. */
  stop(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#leftMs = this.#left();
    this.#timer = undefined;
  }

  #wait(): void {
    const left = this.#left();
    const silent = this.#isBody ? this.#leftAtLastMs - left : 0;
    const waitMs = this.#isBody ? Math.min(left, this.timeoutMs / 2 - silent) : left;
    this.#timer = setTimeout(() => {
      this.#check();
    }, waitMs);
    // The connection keeps the process alive; its timeout must not.
    this.#timer.unref();
  }

  #check(): void {
    const left = this.#left();
    const isSilent = this.#isBody && this.#leftAtLastMs - left >= this.timeoutMs / 2 - TIMER_SLACK_MS;
    if (left > 0 && !isSilent) {
      this.#wait();
      return;
    }
    this.stop();
    this.expired = true;
    this.#abort.abort();
  }

  #restore(): void {
    this.moved = 0;
    this.#leftMs = this.timeoutMs;
    this.#leftAtLastMs = this.timeoutMs;
  }

  #left(): number {
    const passed = this.#timer === undefined ? 0 : performance.now() - this.#runningSince;
    const left = this.#leftMs - passed;
    return left > TIMER_SLACK_MS ? left : 0;
  }
}
