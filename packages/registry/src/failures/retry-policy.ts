/** Attempts at a request whose failure says nothing else, the first one included. */
export const USUAL_ATTEMPTS = 5;

/** How often and how soon a failed request is worth another attempt. */
export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  /**
   * What the server asked for, in milliseconds: at least this long before the next attempt, one number per attempt,
   * the last one repeated. Absent: the usual backoff alone.
   */
  readonly delaysMs?: readonly number[];
  /** For the person who waits. */
  readonly reason: string;
}
