import type { Credentials } from "@tgo/registry";
import type { Report } from "@tgo/report";
import type { HostInfo } from "@tgo/builders";
import type { ProgressListener } from "@tgo/progress";

/**
 * Where the stages run, as far as it matters to them. A Dagger module's container needs none of it;
 * the `tgo` command fills it in.
 */
export interface HostOptions extends HostInfo {
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
  /** Credentials of a registry when no docker config is passed as a secret. */
  readonly credentials?: ((host: string) => Promise<Credentials | undefined>) | undefined;
}
