import type { Credentials } from "@tgo/oci";
import type { Report } from "@tgo/report";
import type { ProgressListener } from "./progress.js";

/** What keeps a commit from being exactly a source. */
export type Uncommitted =
  /** Files that differ from the commit, as git names them; never none. */
  | { readonly changed: readonly string[] }
  /** No commit is known: why, in words that follow a colon. */
  | { readonly why: string };

/**
 * Where the stages run, as far as it matters to them. A Dagger module's container needs none of it;
 * the `tgo` command fills it in.
 */
export interface Host {
  /** Told of every step; by default one plain line each on stderr. */
  readonly progress?: ProgressListener | undefined;
  /** Aborts every request when the user presses Ctrl-C. */
  readonly signal?: AbortSignal | undefined;
  /** What runs the containers, for the report; asked of the engine when absent. */
  readonly engine?: string | undefined;
  /** The command line as the user typed it, for "next:" in a failed report. */
  readonly invocation?: string | undefined;
  /** Given every report before it is rendered, of a success as of a failure; returns what may be shown of it. */
  readonly report?: ((report: Report) => Report) | undefined;
  /** How a text report is written; without colour and 100 columns wide by default. */
  readonly text?: { readonly color: boolean; readonly width: number } | undefined;
  /**
   * Whether this process is on the user's own machine. The engine may be in a container, where localhost is another:
   * registries of this machine are then reached through this process.
   */
  readonly local?: boolean | undefined;
  /** What git on the user's machine says of the source that the function is given, unless a commit is exactly it. */
  readonly uncommitted?: Uncommitted | undefined;
  /** Credentials of a registry when no docker config is passed as a secret. */
  readonly credentials?: ((host: string) => Promise<Credentials | undefined>) | undefined;
}

let current: Host = {};

/** Called once by the `tgo` command, before it runs a function of the module. */
export function setHost(host: Host): void {
  current = host;
}

export function getHost(): Host {
  return current;
}
