import type { Platform } from "@tgo/catalog";
import type { BuildContext } from "@tgo/builders";
import type { Progress } from "@tgo/progress";
import type { Attestor } from "../attestation/attestor.js";
import type { BuildLedger } from "../attestation/build-ledger.js";
import type { Target } from "./target.js";

/** What publishing and releasing need: where images go, nothing about how they are built. */
export interface TargetContext {
  readonly targets: readonly Target[];
  readonly platforms: readonly Platform[];
  readonly progress: Progress;
  readonly signal: AbortSignal | undefined;
  /** Whether differences between what the variants of an image contain fail its check. */
  readonly strictParity?: boolean;
  /** Signs what is published, and carries what is said of it into every registry; absent where nothing is signed. */
  readonly attestor?: Attestor;
  /** Grace period for optional registries, in milliseconds; 5 seconds when absent. */
  readonly gracePeriodMs?: number;
  /** An optional registry is given up after this time, in milliseconds; 30 minutes when absent. */
  readonly optionalLimitMs?: number;
}

/** What building and publishing candidates needs. */
export interface PublishContext extends BuildContext, TargetContext {
  /** Hash of the code that decides an image's bytes. */
  readonly buildHash: string;
  /** The engine's name, for reports. */
  readonly engine: string;
  /** Remembers what is said of images; absent where nothing is signed. */
  readonly ledger?: BuildLedger;
}
