import type { Credentials } from "@tgo/registry";
import type { Report } from "@tgo/report";
import type { HostInfo } from "@tgo/builders";
import type { ProgressListener } from "@tgo/progress";

/**
 * The host that functions run on, as far as it matters to them. A Dagger module's container needs none of it; the
 * `tgo` command fills it in.
 */
export interface HostOptions extends HostInfo {
  /** Gets every step; by default one plain line each goes to stderr. */
  readonly progress?: ProgressListener;
  /** Aborts every request when the user presses Ctrl-C. */
  readonly signal?: AbortSignal;
  /** Name of the engine, for the report; the engine is asked when absent. */
  readonly engine?: string;
  /** The command line as the user typed it, for "next:" in a failed report. */
  readonly invocation?: string;
  /** Gets every report before it is rendered; returns what may be shown. */
  readonly report?: (report: Report) => Report;
  /** Style of text reports; without colour and 100 columns wide by default. */
  readonly text?: { readonly color: boolean; readonly width: number };
  /** Credentials by registry host, when no docker config is passed as a secret. */
  readonly credentials?: (host: string) => Promise<Credentials | undefined>;
}
