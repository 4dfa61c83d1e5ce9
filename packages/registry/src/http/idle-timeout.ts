/**
 * The least speed of a body, in bytes per second of waiting, on average over the time limit. A fiftieth of what a 56k
 * modem delivers: a slow mirror passes, a server that sends a byte now and then does not.
 */
const LEAST_SPEED = 128;

/** The part of the time limit for which one request may be silent: the rest is for another attempt at it. */
const SILENCE = 2 / 3;

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
  /** What was left of the time limit when bytes last moved, or a request or body began. */
  #leftAtLastMs: number;
  /** Of the present request, in milliseconds. */
  #silenceMs: number;
  #hasAnswered = false;

  constructor(private readonly timeoutMs: number) {
    this.#leftMs = timeoutMs;
    this.#leftAtLastMs = timeoutMs;
    this.#silenceMs = timeoutMs * SILENCE;
  }

  /** For how long a request may be silent, in seconds. */
  get silence(): number {
    return Math.round(this.timeoutMs * SILENCE) / 1000;
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
    this.#silenceMs = this.timeoutMs * SILENCE;
    this.#leftAtLastMs = this.#leftMs;
    this.resume();
  }

  /** A body is read, or sent. */
  beginBody(): void {
    this.stop();
    this.#leftAtLastMs = this.#leftMs;
    this.resume();
  }

  /** A response has begun. No time passes until its body is read. */
  answered(): void {
    this.stop();
    if (!this.#hasAnswered) this.#restore();
    this.#hasAnswered = true;
  }

  /** An upload has been sent: the server may take all of the time limit to store it. */
  sent(): void {
    this.stop();
    this.#restore();
    this.#silenceMs = this.timeoutMs;
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
    const silentMs = this.#leftAtLastMs - left;
    this.#timer = setTimeout(
      () => {
        this.#check();
      },
      Math.min(left, this.#silenceMs - silentMs),
    );
    // The connection keeps the process alive; its timeout must not.
    this.#timer.unref();
  }

  #check(): void {
    const left = this.#left();
    const isSilent = this.#leftAtLastMs - left >= this.#silenceMs - TIMER_SLACK_MS;
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
