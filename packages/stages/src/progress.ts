/**
 * What is being done right now, for people who wait. Never an input of a build.
 * A step begins once and ends once; `id` pairs the two.
 */
export interface ProgressEvent {
  readonly kind: "begin" | "end" | "note";
  /** Unique among the run's steps. */
  readonly id: string;
  /** What is done, e.g. "build", "check", "smoke", "upload", "finalise", "verify". */
  readonly step: string;
  readonly service?: string | undefined;
  readonly platform?: string | undefined;
  readonly registry?: string | undefined;
  /** For "end": how it went. */
  readonly state?: "done" | "already there" | "failed" | undefined;
  /** One line more: a result, a reason, a size. */
  readonly detail?: string | undefined;
  /** For "end": milliseconds since its "begin". */
  readonly durationMs?: number | undefined;
}

export type ProgressListener = (event: ProgressEvent) => void;
