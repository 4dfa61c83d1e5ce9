import type { ProgressMode } from "./progress/display.js";

export const ENGINES = ["auto", "dagger", "buildah"] as const;
export type EngineSetting = (typeof ENGINES)[number];

/** The flags that are the command's own: how to run, never what. */
export interface Settings {
  readonly engine: EngineSetting;
  readonly progress: ProgressMode;
  readonly verbose: boolean;
  /** Where to write the image of a function that returns one. */
  readonly output?: string | undefined;
  /** Files to write the report to, besides its text on stdout. */
  readonly reports: readonly string[];
  /** PEM file of a company's certificate authorities; also an argument of the module when it has one. */
  readonly caBundle?: string | undefined;
}
