import { setTimeout as delay } from "node:timers/promises";
import { TgoError } from "@tgo/errors";
import { explain, patienceWith, type Fault, type Patience } from "./answers.js";
import { parseChallenges } from "./challenge.js";
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
  readonly onRetry: ((retry: Retry) => void) | undefined;
  readonly redactor: Redactor;
  readonly identity: "anonymous" | "credentials";
}

export const defaultSleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
  await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
};

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
/** A server that asks for more than this is not waited for. */
const LONGEST_ASKED_MS = 10 * 60_000;
const MAX_TEXT = 64 * 1024;

/** Sends requests, waits out what passes, and turns every network fault into one clear error. */
export class Transport {
  readonly #o: TransportOptions;
  /** Stops of the requests under way; one listener on the caller's signal serves them all. */
  readonly #underWay = new Set<() => void>();

  constructor(options: TransportOptions) {
    this.#o = options;
    options.signal?.addEventListener("abort", () => {
      for (const stop of this.#underWay) stop();
    });
  }

  /**
   * The answer, whatever its status, after the repeats that its status or a network fault deserved.
   * @throws TgoError UNAVAILABLE when no answer came, INTERRUPTED when the caller's signal fired.
   */
  async send(call: Call): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(call);
      const patience = outcome instanceof Answer ? await this.#patienceWith(outcome) : outcome.patience;
      const tries = call.once === true ? 1 : Math.min(patience?.tries ?? 1, this.#o.retries + 1);
      const asked = patience?.waits?.[attempt - 1] ?? patience?.waits?.at(-1) ?? 0;
      if (patience === undefined || attempt >= tries || asked > LONGEST_ASKED_MS) {
        if (outcome instanceof Answer) return outcome;
        throw outcome.error;
      }
      if (outcome instanceof Answer) await outcome.discard();
      await this.wait(attempt, patience, call.doing);
    }
  }

  /** Full jitter between nothing and the doubled wait, and never less than the server asked for. */
  async wait(attempt: number, patience: Patience, doing: string): Promise<void> {
    const asked = patience.waits?.[attempt - 1] ?? patience.waits?.at(-1) ?? 0;
    const backoff = this.#o.random() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
    const waitMs = Math.round(asked + backoff);
    this.#o.onRetry?.({ host: this.#o.host, doing, attempt, waitMs, reason: patience.reason });
    await this.sleep(waitMs);
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
  async refusal(answer: Answer): Promise<TgoError> {
    return explain(await this.fault(answer));
  }

  async fault(answer: Answer): Promise<Fault> {
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

  async #patienceWith(answer: Answer): Promise<Patience | undefined> {
    if (answer.status < 400 || answer.status === 401) return undefined;
    return patienceWith(await this.fault(answer));
  }

  async #attempt(call: Call): Promise<Answer | NetworkFault> {
    this.#throwIfInterrupted();
    const abort = new AbortController();
    const watch = new Watch(this.#o.timeoutMs, abort);
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
      return new Answer(call, response, watch, finished, faultOf);
    } catch (cause) {
      finished();
      this.#throwIfInterrupted();
      if (upload.sourceFailure !== undefined) return sourceFault(upload.sourceFailure);
      if (cause instanceof TgoError) return sourceFault(cause);
      return this.#networkFault(call, cause, watch);
    }
  }

  #networkFault(call: Call, cause: unknown, watch: Watch): NetworkFault {
    this.#throwIfInterrupted();
    const fault = watch.expired
      ? { code: "TIMEOUT", text: `no answer for ${Math.round(this.#o.timeoutMs / 1000)} s` }
      : describe(cause);
    const reason = this.#o.redactor.clean(fault.text);
    const server =
      call.stage === "token" ? `the login server ${call.url.host} of ${this.#o.host}` : this.#o.host;
    const via = call.stage !== "token" && call.url.host !== this.#o.host ? ` (at ${call.url.origin})` : "";
    const advice = ADVICE.find(({ codes }) => codes.test(fault.code));
    return new NetworkFault(
      // No `cause`: what the network stack throws may quote a header, and with it a credential.
      new TgoError("UNAVAILABLE", `cannot reach ${server}${via}: ${reason}`, {
        where: call.where,
        remedy:
          advice?.remedy ??
          "Check the network and run the same command again; it continues where it stopped.",
      }),
      { tries: tries(fault.code, call.url.hostname), reason },
    );
  }

  #throwIfInterrupted(): void {
    if (this.#o.signal?.aborted === true) throw new TgoError("INTERRUPTED", "stopped by the caller");
  }
}

/** A response, its body guarded against silence. */
export class Answer {
  readonly #response: Response;
  readonly #watch: Watch;
  readonly #finished: () => void;
  readonly #faultOf: (cause: unknown) => TgoError;
  #text: string | undefined;

  constructor(
    readonly call: Call,
    response: Response,
    watch: Watch,
    finished: () => void,
    faultOf: (cause: unknown) => TgoError,
  ) {
    this.#response = response;
    this.#watch = watch;
    this.#finished = finished;
    this.#faultOf = faultOf;
    if (response.body === null) finished();
    else watch.touch();
  }

  get status(): number {
    return this.#response.status;
  }

  get headers(): Headers {
    return this.#response.headers;
  }

  get ok(): boolean {
    return this.#response.ok;
  }

  /** The body's beginning; kept, so that it can be asked for again. */
  async text(): Promise<string> {
    if (this.#text === undefined) {
      try {
        this.#text = new TextDecoder().decode(await this.#read(MAX_TEXT, true));
      } catch (cause) {
        if (cause instanceof TgoError && cause.code === "INTERRUPTED") throw cause;
        // An answer whose text breaks off still has its status.
        this.#text = "";
      }
    }
    return this.#text;
  }

  /** @throws TgoError INVALID_RESPONSE when the body is longer than `limit` bytes. */
  async bytes(limit: number): Promise<Uint8Array> {
    return this.#read(limit, false);
  }

  async discard(): Promise<void> {
    if (this.#text === undefined) {
      this.#text = "";
      await this.#response.body?.cancel().catch(() => undefined);
    }
    this.#finished();
  }

  /** The body as it comes. @throws (while reading) TgoError UNAVAILABLE when the connection breaks. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const reader = this.#response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
    if (reader === undefined) return;
    let ended = false;
    try {
      for (;;) {
        this.#watch.touch();
        const { done, value } = await reader.read();
        if (done) break;
        // The consumer's time is not the server's silence.
        this.#watch.stop();
        yield value;
      }
      ended = true;
    } catch (cause) {
      throw this.#faultOf(cause);
    } finally {
      if (!ended) await reader.cancel().catch(() => undefined);
      this.#finished();
    }
  }

  async #read(limit: number, cut: boolean): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.chunks()) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > limit) {
        if (cut) break;
        throw new TgoError("INVALID_RESPONSE", `the answer is longer than ${limit} bytes`, {
          where: this.call.where,
        });
      }
    }
    return Buffer.concat(chunks);
  }
}

class NetworkFault {
  constructor(
    readonly error: TgoError,
    readonly patience: Patience | undefined,
  ) {}
}

/** Stops a request when nothing has moved for too long. */
class Watch {
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
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

/** A request body on its way: remembers whether its source failed, which is not the server's fault. */
class Upload {
  sourceFailure: unknown;

  constructor(private readonly watch: Watch) {}

  init(content: Content): RequestInit {
    if (content instanceof Uint8Array) return { body: content };
    const reader = content.getReader();
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          this.watch.touch();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (cause) {
          this.sourceFailure = cause;
          controller.error(cause);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
    return { body, duplex: "half" };
  }
}

function sourceFault(cause: unknown): NetworkFault {
  const error =
    cause instanceof TgoError
      ? cause
      : new TgoError("INTERNAL", "what was to be sent cannot be read", { cause });
  const passing = error.code === "UNAVAILABLE";
  return new NetworkFault(error, passing ? { tries: 5, reason: error.what } : undefined);
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME/;
const ADVICE: readonly { codes: RegExp; remedy: string }[] = [
  { codes: /^ECONNREFUSED$/, remedy: "Nothing listens there. Start the registry, or correct its address." },
  {
    codes: /^(?:ENOTFOUND|EAI_AGAIN)$/,
    remedy: "Check the host's spelling, and that this machine can resolve names.",
  },
  { codes: /^BAD_PORT$/, remedy: "Let the registry listen on another port, such as 5000." },
  { codes: CERTIFICATE, remedy: "Set NODE_EXTRA_CA_CERTS to the registry's CA certificate." },
  {
    codes: /SSL|EPROTO/,
    remedy: "The server does not speak TLS there. Give its address with http:// if it is a plain registry.",
  },
];

/** A name that does not resolve, a certificate that is wrong or a closed local port will not be better in 30 s. */
function tries(code: string, hostname: string): number {
  if (code === "BAD_PORT" || CERTIFICATE.test(code) || /SSL|EPROTO/.test(code)) return 1;
  if (code === "ENOTFOUND") return 2;
  if (code === "ECONNREFUSED" && isLoopback(hostname)) return 2;
  return 5;
}

export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection closed",
  UND_ERR_SOCKET: "connection closed",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "the name server does not answer",
  ETIMEDOUT: "timed out",
  UND_ERR_CONNECT_TIMEOUT: "timed out",
  EHOSTUNREACH: "no route to the host",
  ENETUNREACH: "no network",
};

/** fetch says only "fetch failed"; the reason is in the chain of causes. */
function describe(thrown: unknown): { code: string; text: string } {
  let text = "no answer";
  for (let cause = thrown, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    text = cause.message === "" ? text : cause.message;
    if ("code" in cause && typeof cause.code === "string")
      return { code: cause.code, text: WORDS[cause.code] ?? text };
  }
  // The fetch standard closes some ports ("port blocking"), 1 and 6000 among them.
  return text === "bad port"
    ? { code: "BAD_PORT", text: "fetch does not connect to this port" }
    : { code: "", text };
}
