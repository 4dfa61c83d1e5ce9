import type { Colors } from "../colors.js";

/** Where and how a text report is shown. */
export interface Page {
  readonly colors: Colors;
  /** Terminal columns. */
  readonly width: number;
}
