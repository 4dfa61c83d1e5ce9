import type { Prepared } from "../candidate/prepared.js";
import type { PublishContext } from "../targets/publish-context.js";
import type { Candidate } from "./candidate.js";

/** Makes candidates of platforms' images that each were built alone. Its code is loaded only where that is asked for. */
export interface Assembly {
  /**
   * @throws TgoError NOT_FOUND when a platform is missing, CONFLICT when two keys are found, VERIFY for a proof that does
   *   not fit
   */
  readonly candidate: (context: PublishContext, prepared: Prepared) => Promise<Candidate>;
}

/** A context that may have an assembly. */
export interface Assembling {
  /** Takes platforms' images that were built elsewhere; absent where all are built here. */
  readonly assembly?: Assembly;
}
