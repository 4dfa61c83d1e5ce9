import { TgoError, detailsOf } from "@tgo/errors";
import type { RetryPolicy } from "../failures/retry-policy.js";

/** A failed attempt that will be repeated. */
export interface Retry {
  readonly host: string;
  /** "push the manifest". */
  readonly action: string;
  /** The attempt that failed, from 1. */
  readonly attempt: number;
  readonly waitMs: number;
  readonly reason: string;
}

export interface RetryOptions {
  readonly host: string;
  /** Rejects when the caller's signal fires. */
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Retries after the first attempt. */
  readonly retries: number;
  /** Time budget for failed attempts and waits, in milliseconds. */
  readonly totalMs: number;
  readonly onRetry: ((retry: Retry) => void) | undefined;
}

const FIRST_BACKOFF_MS = 500;
const MAX_BACKOFF_MS = 30_000;
/** A server that asks for a longer delay gets no further attempt. */
const MAX_REQUESTED_MS = 10 * 60_000;

/**
 * Waits out rate limits (429), outages and broken connections of one registry: decides whether a failed attempt is
 * repeated, and delays it. All requests to the registry share one time budget.
 */
export class Retries {
  readonly #o: RetryOptions;
  /** What failures have cost so far, and up to when: time lost by concurrent requests is lost once. */
  #lostMs = 0;
  #countedUntil = 0;

  constructor(options: RetryOptions) {
    this.#o = options;
  }

  /**
   * Returns when it is time for the next attempt, or at once, with false, when there is none.
   * @param attempt the one that failed, from 1
   * @param error what to throw when only the time budget forbids another attempt
   * @throws TgoError that `error` gives, saying that the time is up
   */
  async next(
    attempt: number,
    policy: RetryPolicy | undefined,
    { action, error }: { readonly action: string; readonly error: () => TgoError | Promise<TgoError> },
  ): Promise<boolean> {
    if (policy === undefined) return false;
    const requested = requestedDelay(attempt, policy);
    if (attempt >= Math.min(policy.attempts, this.#o.retries + 1) || requested > MAX_REQUESTED_MS)
      return false;
    if (this.#lostMs + requested > this.#o.totalMs) throw timeUp(await error());
    await this.delay(attempt, policy, action);
    return true;
  }

  /** Full jitter between zero and the doubled backoff, on top of what the server asked for. */
  async delay(attempt: number, policy: RetryPolicy, action: string): Promise<void> {
    const backoff = this.#o.random() * Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (attempt - 1));
    const waitMs = Math.round(requestedDelay(attempt, policy) + backoff);
    this.#o.onRetry?.({ host: this.#o.host, action, attempt, waitMs, reason: policy.reason });
    const began = this.#o.now();
    await this.#o.sleep(waitMs);
    this.countLost(began);
  }

  /** Charges the time since then to the budget. */
  countLost(since: number): void {
    const now = this.#o.now();
    this.#lostMs += Math.max(0, now - Math.max(since, this.#countedUntil));
    this.#countedUntil = now;
  }
}

function requestedDelay(attempt: number, { delaysMs }: RetryPolicy): number {
  return delaysMs?.[attempt - 1] ?? delaysMs?.at(-1) ?? 0;
}

function timeUp(last: TgoError): TgoError {
  return new TgoError(last.code, `${last.what} (no time left to retry)`, {
    ...detailsOf(last),
    cause: last,
  });
}
