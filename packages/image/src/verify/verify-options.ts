import type { Registry } from "@tgo/registry";
import type { Platform } from "../platform.js";

/** One place where the image should be. */
export interface VerifyTarget {
  /** For the report: "ghcr". */
  readonly name: string;
  readonly registry: Registry;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  /** The same registry without credentials; given when anyone should be able to pull. */
  readonly anonymous?: Registry;
}

export interface Expectation {
  readonly digest?: string;
  /** Of the index; it may have others as well. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Of every variant's config; it may have others as well. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The manifests' digests. */
  readonly variants?: readonly { readonly platform: Platform; readonly digest: string }[];
}

/** What every target is checked against. */
export interface InspectOptions {
  /** Exactly these. */
  readonly platforms: readonly Platform[];
  readonly expect?: Expectation;
  /** Milliseconds; for durations. */
  readonly now?: () => number;
}
