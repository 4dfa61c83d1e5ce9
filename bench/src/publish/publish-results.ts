/** What is published: the native platform alone or both, from nothing, again, and after an edit. */
export type PublishKind = "one" | "both" | "warm" | "edit";

export interface MeasuredPublish {
  readonly service: string;
  /** Name of the checkout: "before", "after". */
  readonly code: string;
  readonly kind: PublishKind;
  readonly seconds: number;
  readonly processorSeconds: number;
}

/** The file of results; rounds of several runs may be in one. */
export interface PublishResults {
  readonly commands: readonly string[];
  /** Commits, by the code's name. */
  readonly commits: Readonly<Record<string, string>>;
  readonly machine: string;
  readonly runs: readonly MeasuredPublish[];
}
