import type { OnBytes, Registry } from "@tgo/registry";
import type { PromisedMachine } from "../machines/machine-scan.js";
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

/** What is wrong with an image in one registry, as far as the remedy depends on it. */
export type FindingKind =
  /** The tag, or the image by its digest, is not there. */
  | "missing"
  /** A manifest, config or layer of the image is not there. */
  | "incomplete"
  /** Another image than the others have. */
  | "other digest"
  /** The image itself is not as planned. */
  | "wrong image";

/** What one registry has. */
export interface InspectedImage {
  readonly name: string;
  readonly digest: string | undefined;
  /** The version that the index names. */
  readonly version: string | undefined;
  /** Nothing of it is missing. */
  readonly complete: boolean;
}

/** The remedy for a finding; undefined leaves the one that fits any tag. */
export type RemedyFor = (
  kind: FindingKind,
  found: InspectedImage,
  all: readonly InspectedImage[],
) => string | undefined;

/** What every target is checked against. */
export interface InspectOptions {
  /** Exactly these; absent: those that the index lists. */
  readonly platforms?: readonly Platform[];
  /**
   * Somebody else's image: more platforms than the given ones, attestations in the index and Docker's media types are
   * noted, not refused.
   */
  readonly anyImage?: boolean;
  /** False: only manifests and configs are read, and whether the registry has the layers is not asked. */
  readonly presence?: boolean;
  /** Also ask for what is attached to the image: signatures, SBOMs, provenance. */
  readonly referrers?: boolean;
  readonly expect?: Expectation;
  /** Milliseconds; for durations. */
  readonly now?: () => number;
}

/** See verifyImage. */
export interface VerifyOptions extends InspectOptions, ContentChecks {
  readonly targets: readonly VerifyTarget[];
  /** Reads every layer and checks the machine of every ELF file. */
  readonly elf?: boolean;
  readonly remedyFor?: RemedyFor;
  /** Digests that base images are locked to, by their names with tag: how old the image's base is. */
  readonly bases?: Readonly<Record<string, string>>;
}

/** What is checked of the files in the layers. */
export interface ContentChecks {
  /** Path patterns of files that may be for another machine. */
  readonly allowForeign?: readonly string[];
  /** Packages and path patterns that only some platforms have, by intention. */
  readonly allowDifferences?: readonly string[];
  /** Machines whose loaders must take every file. */
  readonly machines?: Readonly<Partial<Record<Platform, readonly PromisedMachine[]>>>;
  /** How much of the layers has been read, in bytes. */
  readonly onBytes?: OnBytes;
}
