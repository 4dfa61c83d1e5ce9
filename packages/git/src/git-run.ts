import type { TemporaryFolders } from "./temporary-folders.js";

/** What the git calls of one run share. */
export interface GitRun {
  readonly folders: TemporaryFolders;
  readonly signal?: AbortSignal | undefined;
  /** Ends a git that hangs, such as on a named pipe in place of a file; by default 60 s. */
  readonly limitMs?: number;
}
