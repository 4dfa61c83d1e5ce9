import { setTimeout as delay } from "node:timers/promises";
import { isTgoError, TgoError } from "@tgo/errors";
import { failureError, retryLimits } from "../failures/response-failure.js";
import type { RegistryFailure, RetryLimits } from "../failures/registry-failure.js";
import { parseChallenges } from "../auth/challenge.js";
import { RegistryResponse } from "./response.js";
import {
  connectionLost,
  describe,
  networkFailure,
  sourceFailure,
  type NetworkFailure,
} from "../failures/network-failure.js";
import { ConcurrencyLimit } from "./concurrency-limit.js";
import { Upload } from "./upload-body.js";
import { IdleTimeout } from "./idle-timeout.js";
import type { Redactor } from "./redact.js";

export type Content = Uint8Array | ReadableStream<Uint8Array>;

/** A body that can be sent again: every try opens it anew. */
export interface Body {
  /** Bytes. */
  readonly size: number;
  readonly open: () => Content | Promise<Content>;
}

/** One request, before authorization. */
export interface Call {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Repository and reference, for messages. */
  readonly where: string;
  /** "push the manifest", for messages. */
  readonly doing: string;
  readonly stage?: "token";
  /** Repeating is the caller's: this call is a part of something that is repeated as a whole. */
  readonly once?: boolean;
  /** The answer is read whole, up to this many bytes, before it counts: one that breaks off is asked for again. */
  readonly whole?: number;
}

export interface Retry {
  readonly host: string;
  readonly doing: string;
  /** The try that failed, from 1. */
  readonly attempt: number;
  readonly waitMs: number;
  readonly reason: string;
}

export interface TransportOptions {
  readonly host: string;
  readonly fetch: typeof fetch;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** In [0, 1). */
  readonly random: () => number;
  readonly signal: AbortSignal | undefined;
  /** The longest silence to wait through, in milliseconds, before an answer and inside its body. */
  readonly timeoutMs: number;
  /** Repeats after the first try. */
  readonly retries: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What faults may cost in all, failed tries and waits, in milliseconds. */
  readonly totalMs: number;
  /** Requests under way at once, until their answer begins. */
  readonly concurrency: { readonly reads: number; readonly writes: number };
  readonly onRetry: ((retry: Retry) => void) | undefined;
  readonly redactor: Redactor;
  readonly identity: "anonymous" | "credentials";
}

/** The error that the last try ended with, for whom the time for all of them is over. */
export function deadlineError(last: TgoError): TgoError {
  return new TgoError(last.code, `${last.what} (and the time for all tries is over)`, {
    where: last.where,
    remedy: last.remedy,
    cause: last,
  });
}

function waitAsked(attempt: number, { waits }: RetryLimits): number {
  return waits?.[attempt - 1] ?? waits?.at(-1) ?? 0;
}

export const defaultSleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
  await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
};

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A server that asks for more than this is not waited for. */
const LONGEST_ASKED_MS = 10 * 60_000;

/** Sends requests, waits out what passes, and turns every network fault into one clear error. */
export class Transport {
  readonly #o: TransportOptions;
  /** Stops of the requests under way; one listener on the caller's signal serves them all. */
  readonly #underWay = new Set<() => void>();
  /** Of their own each: a write waits for the read that it copies from, and a read for nothing. */
  readonly #lanes: { readonly reads: ConcurrencyLimit; readonly writes: ConcurrencyLimit };
  /** Milliseconds that faults have cost so far, and until when that is counted: what is lost at once, is lost once. */
  #lostMs = 0;
  #countedTo = 0;

  constructor(options: TransportOptions) {
    this.#o = options;
    const { reads, writes } = options.concurrency;
    this.#lanes = { reads: new ConcurrencyLimit(reads), writes: new ConcurrencyLimit(writes) };
    options.signal?.addEventListener("abort", () => {
      for (const stop of this.#underWay) stop();
    });
  }

  /**
   * The answer, whatever its status, after the repeats that its status or a network fault deserved.
   * @throws TgoError UNAVAILABLE when no answer came, INTERRUPTED when the caller's signal fired.
   */
  async send(call: Call): Promise<RegistryResponse> {
    for (let attempt = 1; ; attempt++) {
      const began = this.#o.now();
      const outcome = await this.#attempt(call);
      const patience =
        outcome instanceof RegistryResponse ? await this.#patienceWith(outcome) : outcome.patience;
      if (patience !== undefined) this.#lose(began);
      const verdict =
        patience === undefined || call.once === true ? "enough" : this.verdict(attempt, patience);
      if (patience === undefined || verdict === "enough") {
        if (outcome instanceof RegistryResponse) return outcome;
        throw outcome.error;
      }
      if (verdict === "out of time")
        throw deadlineError(
          outcome instanceof RegistryResponse ? await this.refusal(outcome) : outcome.error,
        );
      if (outcome instanceof RegistryResponse) await outcome.discard();
      await this.wait(attempt, patience, call.doing);
    }
  }

  /** Whether a further try is worth its wait. @param attempt the try that failed, from 1 */
  verdict(attempt: number, patience: RetryLimits): "again" | "enough" | "out of time" {
    const asked = waitAsked(attempt, patience);
    if (attempt >= Math.min(patience.tries, this.#o.retries + 1) || asked > LONGEST_ASKED_MS) return "enough";
    return this.#lostMs + asked > this.#o.totalMs ? "out of time" : "again";
  }

  /** Full jitter between nothing and the doubled wait, and never less than the server asked for. */
  async wait(attempt: number, patience: RetryLimits, doing: string): Promise<void> {
    const backoff = this.#o.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
    const waitMs = Math.round(waitAsked(attempt, patience) + backoff);
    this.#o.onRetry?.({ host: this.#o.host, doing, attempt, waitMs, reason: patience.reason });
    const began = this.#o.now();
    await this.sleep(waitMs);
    this.#lose(began);
  }

  #lose(since: number): void {
    const now = this.#o.now();
    this.#lostMs += Math.max(0, now - Math.max(since, this.#countedTo));
    this.#countedTo = now;
  }

  async sleep(milliseconds: number): Promise<void> {
    this.#throwIfInterrupted();
    try {
      await this.#o.sleep(milliseconds, this.#o.signal);
    } catch (cause) {
      this.#throwIfInterrupted();
      throw cause;
    }
    this.#throwIfInterrupted();
  }

  /** The answer as an error for the reader. */
  async refusal(answer: RegistryResponse): Promise<TgoError> {
    return failureError(await this.fault(answer));
  }

  async fault(answer: RegistryResponse): Promise<RegistryFailure> {
    return {
      host: this.#o.host,
      where: answer.call.where,
      doing: answer.call.doing,
      stage: answer.call.stage ?? "registry",
      method: answer.call.method,
      status: answer.status,
      text: this.#o.redactor.clean(await answer.text()),
      contentType: answer.headers.get("content-type") ?? "",
      retryAfter: answer.headers.get("retry-after") ?? undefined,
      scheme: parseChallenges(answer.headers.get("www-authenticate") ?? "")[0]?.scheme,
      identity: this.#o.identity,
    };
  }

  async #patienceWith(answer: RegistryResponse): Promise<RetryLimits | undefined> {
    if (answer.status < 400 || answer.status === 401) return undefined;
    return retryLimits(await this.fault(answer));
  }

  async #attempt(call: Call): Promise<RegistryResponse | NetworkFailure> {
    const lanes = call.method === "GET" || call.method === "HEAD" ? this.#lanes.reads : this.#lanes.writes;
    await lanes.enter();
    let answer: RegistryResponse | NetworkFailure;
    try {
      answer = await this.#ask(call);
    } finally {
      lanes.leave();
    }
    if (call.whole === undefined || !(answer instanceof RegistryResponse) || !answer.ok) return answer;
    try {
      await answer.bytes(call.whole);
      return answer;
    } catch (error) {
      if (isTgoError(error) && error.code === "UNAVAILABLE") return connectionLost(error);
      throw error;
    }
  }

  async #ask(call: Call): Promise<RegistryResponse | NetworkFailure> {
    this.#throwIfInterrupted();
    const abort = new AbortController();
    const watch = new IdleTimeout(this.#o.timeoutMs, abort);
    const stop = (): void => {
      abort.abort();
    };
    this.#underWay.add(stop);
    const finished = (): void => {
      watch.stop();
      this.#underWay.delete(stop);
    };
    const upload = new Upload(watch);
    try {
      const response = await this.#o.fetch(call.url, {
        method: call.method,
        headers: {
          ...call.headers,
          ...(call.body === undefined ? {} : { "content-length": String(call.body.size) }),
        },
        redirect: "manual",
        signal: abort.signal,
        ...(call.body === undefined ? {} : upload.init(await call.body.open())),
      });
      const faultOf = (cause: unknown): TgoError => this.#networkFault(call, cause, watch).error;
      return new RegistryResponse(call, response, watch, finished, faultOf);
    } catch (cause) {
      finished();
      this.#throwIfInterrupted();
      if (upload.sourceFailure !== undefined) return sourceFailure(upload.sourceFailure);
      if (cause instanceof TgoError) return sourceFailure(cause);
      return this.#networkFault(call, cause, watch);
    }
  }

  #networkFault(call: Call, cause: unknown, watch: IdleTimeout): NetworkFailure {
    this.#throwIfInterrupted();
    const fault = watch.expired
      ? { code: "TIMEOUT", text: `no answer for ${this.#o.timeoutMs / 1000} s` }
      : describe(cause);
    const server =
      call.stage === "token" ? `the login server ${call.url.host} of ${this.#o.host}` : this.#o.host;
    const via = call.stage !== "token" && call.url.host !== this.#o.host ? ` (at ${call.url.origin})` : "";
    return networkFailure(
      { code: fault.code, text: this.#o.redactor.clean(fault.text) },
      { server: server + via, where: call.where, hostname: call.url.hostname },
    );
  }

  #throwIfInterrupted(): void {
    if (this.#o.signal?.aborted === true) throw new TgoError("INTERRUPTED", "stopped by the caller");
  }
}
