import { TgoError } from "@tgo/errors";
import type { RegistryRequest } from "./request.js";
import type { IdleTimeout } from "./idle-timeout.js";

/** How much of an error text is read, in bytes: all of an error, and what is masked in a moment. */
const MAX_TEXT = 16 * 1024;

export interface ResponseOptions {
  readonly call: RegistryRequest;
  readonly response: Response;
  /** Counts the body's bytes. */
  readonly idle: IdleTimeout;
  /** Called when the body has ended, or nobody reads it any more. */
  readonly onEnd: () => void;
  /** The error for what the network stack threw while the body was read. */
  readonly networkError: (cause: unknown) => TgoError;
}

/** A response, its body under an idle timeout. */
export class RegistryResponse {
  readonly call: RegistryRequest;
  readonly #o: ResponseOptions;
  #text: string | undefined;
  #bytes: Uint8Array | undefined;

  constructor(options: ResponseOptions) {
    this.call = options.call;
    this.#o = options;
    options.idle.answered();
    if (options.response.body === null) options.onEnd();
  }

  get status(): number {
    return this.#o.response.status;
  }

  get headers(): Headers {
    return this.#o.response.headers;
  }

  get ok(): boolean {
    return this.#o.response.ok;
  }

  /** The beginning of the body; kept for the next call. */
  async text(): Promise<string> {
    if (this.#text === undefined) {
      try {
        this.#text = new TextDecoder().decode(await this.#read(MAX_TEXT, true));
      } catch (cause) {
        if (cause instanceof TgoError && cause.code === "INTERRUPTED") throw cause;
        // A response whose text breaks off still has its status.
        this.#text = "";
      }
    }
    return this.#text;
  }

  /** The body; kept for the next call. @throws TgoError INVALID_RESPONSE when it is longer than `limit` bytes. */
  async bytes(limit: number): Promise<Uint8Array> {
    this.#bytes ??= await this.#read(limit, false);
    return this.#bytes;
  }

  async discard(): Promise<void> {
    if (this.#text === undefined) {
      this.#text = "";
      await this.#o.response.body?.cancel().catch(() => undefined);
    }
    this.#o.onEnd();
  }

  /** The body, streamed. @throws (while reading) TgoError UNAVAILABLE when the connection breaks. */
  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { response, idle, onEnd, networkError } = this.#o;
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined;
    if (reader === undefined) return;
    let ended = false;
    idle.beginBody();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        idle.add(value.length);
        // The consumer's time does not count against the server.
        idle.stop();
        yield value;
        idle.resume();
      }
      ended = true;
    } catch (cause) {
      throw networkError(cause);
    } finally {
      if (!ended) await reader.cancel().catch(() => undefined);
      onEnd();
    }
  }

  async #read(limit: number, truncate: boolean): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.chunks()) {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= limit) continue;
      if (truncate) break;
      throw new TgoError("INVALID_RESPONSE", `the response is longer than ${limit} bytes`, {
        where: this.call.where,
      });
    }
    return Buffer.concat(chunks);
  }
}
