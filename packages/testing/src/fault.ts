/** A fault to inject into one request. */
export type Fault =
  /** The connection is closed before anything is read. */
  | { readonly kind: "refuse" }
  /** From this request on, nothing listens on the port (connection refused), until {@link FaultProxy.up}. */
  | { readonly kind: "down" }
  /** The connection is closed after this many bytes of the request's body; nothing reaches the registry. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** The registry handles the request, and its response is lost. */
  | { readonly kind: "lose-answer" }
  /** The connection is closed after this many bytes of the response's body; its headers announced all of them. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** As `cut`, but the connection stays open and silent. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** The response's body comes in this many pieces, with a delay in milliseconds before each. */
  | { readonly kind: "drip"; readonly pieces: number; readonly ms: number }
  /** A response with this status instead of the registry's. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** As `answer`, for a manifest whose text matches; other requests pass, and do not count. */
  | {
      readonly kind: "refuse-manifest";
      readonly like: RegExp;
      readonly status: number;
      readonly body: string;
    }
  /** The response is delayed by this many milliseconds. */
  | { readonly kind: "delay"; readonly ms: number }
  /** There is never a response. */
  | { readonly kind: "hang" }
  /** A PUT is accepted but not stored: a later read finds nothing. */
  | { readonly kind: "forget" }
  /** A manifest is read as it was before its last write. */
  | { readonly kind: "stale" }
  /** A manifest is stored with different bytes; `silent`: the response still gives the digest of what was sent. */
  | { readonly kind: "rewrite"; readonly silent?: boolean };

export interface FaultyRequest {
  readonly method: string;
  /** Including the query. */
  readonly path: string;
  /** How many requests this proxy has received before it. */
  readonly number: number;
}

/** A request and its outcome. */
export interface SeenRequest extends FaultyRequest {
  /** Milliseconds, of `performance.now()`. */
  readonly at: number;
  /** The injected fault. */
  readonly fault: Fault["kind"] | undefined;
  /** Of the response; undefined when there was none, or not yet. */
  readonly status: number | undefined;
}

export interface FaultRule {
  readonly on: (request: FaultyRequest) => boolean;
  readonly fault: Fault;
  /** How often it applies; default always. */
  readonly times?: number;
}
