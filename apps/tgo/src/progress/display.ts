import type { ProgressListener } from "@tgo/progress";
import type { EngineAmount } from "./steps.js";

/** Shows progress on stderr. */
export interface Display {
  readonly onProgress: ProgressListener;
  /** How far the engine is with work that it does for a step. */
  readonly onEngineAmount: (amount: EngineAmount) => void;
  /** Prints a line from elsewhere, such as the engine's log, without disturbing the display. */
  line(text: string): void;
  /** The running steps, one text each. */
  running(): string[];
  /** Restores the terminal. May be called more than once. */
  stop(): void;
}

export const PROGRESS_MODES = ["auto", "live", "plain", "quiet"] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];
