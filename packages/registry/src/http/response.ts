import { TgoError } from "@tgo/errors";
import type { Call } from "./transport.js";
import type { IdleTimeout } from "./idle-timeout.js";

/** Of a text for a person, in bytes. */
const MAX_TEXT = 64 * 1024;

/** A response, its body guarded against silence. */
export class RegistryResponse {
  readonly #response: Response;
  readonly #watch: IdleTimeout;
  readonly #finished: () => void;
  readonly #faultOf: (cause: unknown) => TgoError;
  #text: string | undefined;
  #bytes: Uint8Array | undefined;

  constructor(
    readonly call: Call,
    response: Response,
    watch: IdleTimeout,
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

  /** The body; kept. @throws TgoError INVALID_RESPONSE when it is longer than `limit` bytes. */
  async bytes(limit: number): Promise<Uint8Array> {
    this.#bytes ??= await this.#read(limit, false);
    return this.#bytes;
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
