import type { ProgressListener } from "@tgo/progress";

/** Shows progress on stderr. */
export interface Display {
  readonly onProgress: ProgressListener;
  /** Prints a line from elsewhere, such as the engine's log, without disturbing the display. */
  line(text: string): void;
  /** The running steps, one text each. */
  running(): string[];
  /** Restores the terminal. May be called more than once. */
  stop(): void;
}

export const PROGRESS_MODES = ["auto", "live", "plain", "quiet"] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];
