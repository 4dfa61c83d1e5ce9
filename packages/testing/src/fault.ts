/** What goes wrong with one request. */
export type Fault =
  /** The connection is closed before anything is read. */
  | { readonly kind: "refuse" }
  /** From this request on nothing listens on the port (connection refused), until {@link FaultProxy.up}. */
  | { readonly kind: "down" }
  /** The connection is closed after this many bytes of the request's body; nothing reaches the registry. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** The registry does what it is asked, and its answer is lost. */
  | { readonly kind: "lose-answer" }
  /** The connection is closed after this many bytes of the answer's body; its headers promised all of them. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** As `cut`, with a connection that stays open and silent. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** The answer's body comes in this many pieces, with so many milliseconds before each. */
  | { readonly kind: "drip"; readonly pieces: number; readonly ms: number }
  /** An answer of this status instead of the registry's. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** As `answer`, for a manifest whose text matches; every other request is let through, and does not count. */
  | {
      readonly kind: "refuse-manifest";
      readonly like: RegExp;
      readonly status: number;
      readonly body: string;
    }
  /** The answer comes, this much later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** No answer ever. */
  | { readonly kind: "hang" }
  /** A PUT is accepted and forgotten: what was put is missing when read. */
  | { readonly kind: "forget" }
  /** A manifest is read as it was before it was last written. */
  | { readonly kind: "stale" }
  /** A manifest is stored with other bytes than were sent; `silent`: its answer gives the digest of what was sent. */
  | { readonly kind: "rewrite"; readonly silent?: boolean };

export interface FaultyRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** How many requests came before it, this proxy's whole life. */
  readonly number: number;
}

/** A request and what became of it. */
export interface SeenRequest extends FaultyRequest {
  /** Milliseconds, of `performance.now()`. */
  readonly at: number;
  /** What struck it. */
  readonly fault: Fault["kind"] | undefined;
  /** Of the answer; undefined when there was none, or not yet. */
  readonly status: number | undefined;
}

export interface FaultRule {
  readonly on: (request: FaultyRequest) => boolean;
  readonly fault: Fault;
  /** How often it strikes; without it, always. */
  readonly times?: number;
}
