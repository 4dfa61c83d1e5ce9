import type { HostInfo } from "@tgo/builders";
import type { Problem } from "@tgo/errors";
import type { ProgressListener } from "@tgo/progress";
import type { Credentials } from "@tgo/registry";
import type { Report } from "@tgo/report";
import type { ReleaseTagFacts } from "./release-tag-facts.js";

/** What a scanner of vulnerabilities said. */
export interface ScanResult {
  /** Its name, for messages. */
  readonly program: string;
  readonly output: string;
  readonly errors: string;
  readonly exitCode: number;
}

/** A proof (VariantProof in proof) that a function of this process made; shells only hand it on. */
export interface OwnProof {
  readonly platform: string;
  readonly smoke?: object;
}

/** What build-variant did on other engines of the same run. */
export interface OtherEngines {
  /** By the digest of the variant's manifest. */
  readonly proven: ReadonlyMap<string, OwnProof>;
  /** Why a service has no variant, by its name. */
  readonly failures: ReadonlyMap<string, Problem>;
}

/** What functions need to know of the host they run on. The `tgo` command sets it; a Dagger module's container does not. */
export interface HostOptions extends HostInfo {
  /** Receives every step; by default each is printed to stderr as one line. */
  readonly progress?: ProgressListener;
  /** Aborted when the user presses Ctrl-C. */
  readonly signal?: AbortSignal;
  /** The engine's name, for the report, or "no engine"; queried from the engine when absent. */
  readonly engine?: string;
  /** How a command line of `tgo` starts here, for commands in remedies and notes: `npx --no-install tgo`. */
  readonly command?: string;
  /** The command line as the user typed it, for `next` in the report of a failed run. */
  readonly invocation?: string;
  /** Receives every report before it is rendered; returns what may be shown. */
  readonly report?: (report: Report) => Report;
  /** Style of text reports; by default without colour, 100 columns wide. */
  readonly text?: { readonly color: boolean; readonly width: number };
  /** Columns of the terminal that lists are written to; absent where they are piped, and never wrapped. */
  readonly columns?: number;
  /** Variables of the caller's environment, for who runs a build; absent in a module, which has none of them. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Runs a scanner of this machine over a bill of materials (JSON); undefined where there is none. */
  readonly scan?: (document: string) => Promise<ScanResult | undefined>;
  /** Receives proofs of build-variant, by the digest of the variant's manifest. */
  readonly onProof?: (manifest: string, proof: OwnProof) => void;
  /** A program of this machine that signs with a key it does not hand out, such as a key management service's. */
  readonly signWith?: {
    /** PEM of the key's public half. */
    readonly publicKey: string;
    /** Signs a SHA-256 digest; returns what the program printed. */
    readonly signDigest: (digest: Uint8Array) => Promise<Uint8Array>;
  };
  /**
   * What the checkout says of a release's Git tag, and of its commit on a branch of the remote origin, the default one if
   * none is named; undefined where the source is no checkout. Absent in a module, which has no git.
   */
  readonly tagFacts?: (tag: string, branch: string | undefined) => Promise<ReleaseTagFacts | undefined>;
  /** What this run built on other engines. */
  readonly otherEngines?: OtherEngines;
  /** Credentials by registry host, when no docker config is passed as a secret. */
  readonly credentials?: (host: string) => Promise<Credentials | undefined>;
}
