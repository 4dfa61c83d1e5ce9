import type { EngineName } from "../job.js";

/**
 * What is published: the native platform alone or both, from nothing, again, and after an edit; both from nothing and signed,
 * with bills of materials and provenance; or both by the service's own Dockerfile, to the same end.
 */
export const PUBLISH_KINDS = ["one", "both", "warm", "edit", "signed", "dockerfile"] as const;
export type PublishKind = (typeof PUBLISH_KINDS)[number];

export interface MeasuredPublish {
  readonly service: string;
  /** Name of the checkout: "before", "after". */
  readonly code: string;
  readonly kind: PublishKind;
  /** Of the checkout; for a Dockerfile, of the engine that built it. */
  readonly commit: string;
  /** Seconds of two machines are not compared. */
  readonly machine: string;
  readonly seconds: number;
  readonly processorSeconds: number;
}

/** The file of results; rounds of several runs may be in one. */
export interface PublishResults {
  readonly commands: readonly string[];
  /** Commits, by the code's name. */
  readonly commits: Readonly<Record<string, string>>;
  readonly machine: string;
  /** ISO 8601, of the last run. */
  readonly date: string;
  readonly engine: EngineName;
  readonly runs: readonly MeasuredPublish[];
}
