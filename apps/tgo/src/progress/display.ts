import type { ProgressListener } from "@tgo/progress";

/** Shows what is going on, on stderr. */
export interface Display {
  readonly onProgress: ProgressListener;
  /** A line of somebody else's, such as the engine's log, put where it does not disturb. */
  line(text: string): void;
  /** What is running now, one text a step. */
  running(): string[];
  /** Leaves the terminal as it was. May be called twice. */
  stop(): void;
}

export const PROGRESS_MODES = ["auto", "live", "plain", "quiet"] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];
