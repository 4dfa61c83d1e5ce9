/** What the caller's checkout says of a release's tag and commit: see TagFacts of the git package. */
export interface ReleaseTagFacts {
  readonly tag: "annotated" | "lightweight" | "missing";
  readonly namesCommit: boolean | undefined;
  readonly branch: string | undefined;
  readonly isOnBranch: boolean | undefined;
}
