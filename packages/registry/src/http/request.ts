import type { IdleTimeout } from "./idle-timeout.js";

export type Content = Uint8Array | ReadableStream<Uint8Array>;

/** A request body that can be sent again: every attempt opens it anew. */
export interface Body {
  /** Bytes. */
  readonly size: number;
  readonly open: () => Content | Promise<Content>;
}

export const EMPTY_BODY: Body = { size: 0, open: () => new Uint8Array(0) };

/** One request, before authorization. */
export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Body;
  /** Repository and reference, for messages. */
  readonly where: string;
  /** "push the manifest", for messages. */
  readonly action: string;
  readonly stage?: "token";
  /** Whether the server has accepted these credentials before. */
  readonly granted?: boolean;
  /** Never retried here: the caller repeats the whole exchange that this request is a part of. */
  readonly once?: boolean;
  /** Buffers a successful response, up to this many bytes: one that breaks off is requested again. */
  readonly buffer?: number;
  /** Shared by all requests that one answer takes; absent: by the attempts at this one. */
  readonly idle?: IdleTimeout;
}
