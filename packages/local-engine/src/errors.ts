import { TgoError } from "@tgo/errors";

export function interrupted(): TgoError {
  return new TgoError("INTERRUPTED", "the engine was stopped before this step finished");
}

export function diskFull(cause: unknown): TgoError {
  return new TgoError("ENVIRONMENT", "the disk is full: the step was aborted, and none of it was kept", {
    remedy: "free some space, or move the engine's cache to another disk with XDG_CACHE_HOME",
    cause,
  });
}
