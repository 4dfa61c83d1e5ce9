import { setTimeout as delay } from "node:timers/promises";
import { isTgoError, TgoError } from "@tgo/errors";
import pLimit, { type LimitFunction } from "p-limit";
import { parseChallenges } from "../auth/challenge.js";
import {
  connectionLost,
  describe,
  networkFailure,
  sourceFailure,
  type NetworkFailure,
} from "../failures/network-failure.js";
import type { RegistryFailure } from "../failures/registry-failure.js";
import { failureError, retryPolicy } from "../failures/response-failure.js";
import type { RetryPolicy } from "../failures/retry-policy.js";
import type { RegistryRequest } from "./request.js";
import { IdleTimeout } from "./idle-timeout.js";
import type { Redactor } from "@tgo/redaction";
import { RegistryResponse } from "./response.js";
import { Retries, type RetryOptions } from "./retry.js";
import { UploadBody } from "./upload-body.js";

export interface TransportOptions extends Omit<RetryOptions, "sleep"> {
  readonly fetch: typeof fetch;
  readonly sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  readonly signal: AbortSignal | undefined;
  /** The longest time without progress, in milliseconds: see {@link IdleTimeout}. */
  readonly timeoutMs: number;
  /** Concurrent requests, until their response begins. */
  readonly concurrency: { readonly reads: number; readonly writes: number };
  readonly redactor: Redactor;
  readonly identity: "anonymous" | "credentials";
}

export const defaultSleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
  await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
};

/** Sends requests, retries transient failures, and turns every network failure into one clear error. */
export class Transport {
  readonly retries: Retries;
  readonly #o: TransportOptions;
  /** Aborts of the requests in flight; one listener on the caller's signal serves them all. */
  readonly #inFlight = new Set<() => void>();
  /** One limit each: a write waits for the read that it copies from, and a read for nothing. */
  readonly #reads: LimitFunction;
  readonly #writes: LimitFunction;

  constructor(options: TransportOptions) {
    this.#o = options;
    this.retries = new Retries({ ...options, sleep: (milliseconds) => this.sleep(milliseconds) });
    this.#reads = pLimit(options.concurrency.reads);
    this.#writes = pLimit(options.concurrency.writes);
    options.signal?.addEventListener("abort", () => {
      for (const abort of this.#inFlight) abort();
    });
  }

  /**
   * The response, whatever its status, after the retries that its status or a network failure called for.
   * @throws TgoError UNAVAILABLE when no response came, INTERRUPTED when the caller's signal fired
   */
  async send(call: RegistryRequest): Promise<RegistryResponse> {
    const idle = call.idle ?? this.idleTimeout();
    for (let attempt = 1; ; attempt++) {
      const began = this.#o.now();
      const result = await this.#attempt(call, idle);
      const retry = result instanceof RegistryResponse ? await this.#policyFor(result) : result.retry;
      if (retry !== undefined) this.retries.countLost(began);
      const policy = idle.isExhausted ? undefined : retry;
      const error = (): TgoError | Promise<TgoError> =>
        result instanceof RegistryResponse ? this.errorOf(result) : result.error;
      const again = await this.retries.next(attempt, call.once === true ? undefined : policy, {
        action: call.action,
        error,
      });
      if (again) continue;
      if (result instanceof RegistryResponse) return result;
      throw result.error;
    }
  }

  /** For requests that make up one answer: {@link RegistryRequest.idle}. */
  idleTimeout(): IdleTimeout {
    return new IdleTimeout(this.#o.timeoutMs);
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

  /** A refusal as an error for the reader. */
  async errorOf(response: RegistryResponse): Promise<TgoError> {
    return failureError(await this.failureOf(response));
  }

  async failureOf(response: RegistryResponse): Promise<RegistryFailure> {
    const { call, status, headers } = response;
    const [challenge] = parseChallenges(headers.get("www-authenticate") ?? "");
    const mediaType = call.method === "PUT" ? call.headers?.["content-type"] : undefined;
    return {
      host: this.#o.host,
      where: call.where,
      action: call.action,
      stage: call.stage ?? "registry",
      method: call.method,
      status,
      text: this.#o.redactor.clean(await response.text()),
      contentType: headers.get("content-type") ?? "",
      retryAfter: headers.get("retry-after") ?? undefined,
      scheme: challenge?.scheme,
      lacksScope: challenge?.parameters["error"] === "insufficient_scope",
      identity: this.#o.identity,
      granted: call.granted === true,
      ...(mediaType?.includes("json") === true
        ? { sent: `${mediaType} of ${call.body?.size ?? 0} bytes` }
        : {}),
    };
  }

  async #policyFor(response: RegistryResponse): Promise<RetryPolicy | undefined> {
    // A registry's 401 asks for a token.
    if (response.status < 400 || (response.status === 401 && response.call.stage !== "token"))
      return undefined;
    return retryPolicy(await this.failureOf(response));
  }

  async #attempt(call: RegistryRequest, idle: IdleTimeout): Promise<RegistryResponse | NetworkFailure> {
    const limit = call.method === "GET" || call.method === "HEAD" ? this.#reads : this.#writes;
    const result = await limit(() => this.#request(call, idle));
    if (call.buffer === undefined || !(result instanceof RegistryResponse) || !result.ok) return result;
    try {
      await result.bytes(call.buffer);
      return result;
    } catch (error) {
      if (isTgoError(error) && error.code === "UNAVAILABLE") return connectionLost(error);
      throw error;
    }
  }

  async #request(call: RegistryRequest, idle: IdleTimeout): Promise<RegistryResponse | NetworkFailure> {
    this.#throwIfInterrupted();
    const controller = new AbortController();
    idle.begin(controller);
    const abort = (): void => {
      controller.abort();
    };
    this.#inFlight.add(abort);
    const onEnd = (): void => {
      idle.stop();
      this.#inFlight.delete(abort);
    };
    const upload = new UploadBody(idle);
    const { body } = call;
    try {
      const response = await this.#o.fetch(call.url, {
        method: call.method,
        headers: {
          ...call.headers,
          ...(body === undefined ? {} : { "content-length": String(body.size) }),
        },
        redirect: "manual",
        signal: controller.signal,
        ...(body === undefined ? {} : upload.init(await body.open())),
      });
      const networkError = (cause: unknown): TgoError => this.#networkFailure(call, cause, idle).error;
      return new RegistryResponse({ call, response, idle, onEnd, networkError });
    } catch (cause) {
      onEnd();
      this.#throwIfInterrupted();
      if (upload.sourceError !== undefined) return sourceFailure(upload.sourceError);
      if (cause instanceof TgoError) return sourceFailure(cause);
      return this.#networkFailure(call, cause, idle);
    }
  }

  #networkFailure(call: RegistryRequest, cause: unknown, idle: IdleTimeout): NetworkFailure {
    this.#throwIfInterrupted();
    const { host, redactor, timeoutMs } = this.#o;
    const { code, text } = idle.expired ? timedOut(idle, timeoutMs / 1000) : describe(cause);
    const isLogin = call.stage === "token";
    const server = isLogin ? `the login server ${call.url.host} of ${host}` : host;
    const via = !isLogin && call.url.host !== host ? ` (at ${call.url.origin})` : "";
    return networkFailure(
      { code, text: redactor.clean(text) },
      { server: server + via, where: call.where, hostname: call.url.hostname },
    );
  }

  #throwIfInterrupted(): void {
    if (this.#o.signal?.aborted === true) throw new TgoError("INTERRUPTED", "stopped by the caller");
  }
}

function timedOut(
  { isExhausted, isSlow, moved, least, silence }: IdleTimeout,
  seconds: number,
): { code: string; text: string } {
  if (!isExhausted) return { code: "STALLED", text: `no response for ${rounded(silence)} s` };
  return isSlow
    ? { code: "TOO_SLOW", text: `${moved} bytes in ${seconds} s, less than the ${least} of the least speed` }
    : { code: "TIMEOUT", text: `no response for ${rounded(seconds)} s` };
}

/** Whole seconds, and fractions of one as they are. */
const rounded = (seconds: number): number => (seconds < 1 ? seconds : Math.round(seconds));
