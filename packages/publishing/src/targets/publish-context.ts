import type { Platform } from "@tgo/catalog";
import type { BuildContext } from "@tgo/builders";
import type { Progress } from "@tgo/progress";
import type { Target } from "./target.js";

/** What publishing and releasing need to know: where images go, and nothing that builds them. */
export interface TargetContext {
  readonly targets: readonly Target[];
  readonly platforms: readonly Platform[];
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** Grace period for optional registries, in milliseconds. */
  readonly gracePeriodMs?: number;
}

/** What building and publishing candidates needs to know. */
export interface PublishContext extends BuildContext, TargetContext {
  /** Hash of the code that decides an image's bytes. */
  readonly buildHash: string;
  /** The name of the engine, for people. */
  readonly engine: string;
}
