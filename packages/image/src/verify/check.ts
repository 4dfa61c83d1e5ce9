/** What is checked of an image, each under one name. */
export type CheckName =
  | "found"
  | "same digest"
  | "index type"
  | "platforms"
  | "manifests"
  | "configs"
  | "layers"
  | "diff_ids"
  | "ELF machines"
  | "link proof"
  | "promised machines"
  | "parity"
  | "annotations and labels"
  | "pull without credentials"
  | "base"
  | "referrers";

/** One check of an image: how it ended, and what was seen. */
export interface Check {
  readonly name: CheckName;
  /** "note": no failure, but somebody should know. "skipped": not asked for, or an earlier check failed. */
  readonly state: "ok" | "note" | "failed" | "skipped";
  /** One line each; of a failed check its problems. */
  readonly evidence: readonly string[];
}
