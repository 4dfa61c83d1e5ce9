import type { BuildFor, BuiltCandidate } from "../candidate/build-candidate.js";
import type { ImageTests } from "./choose-image.js";

/** A candidate to publish; registries may already have it. */
export interface Candidate {
  readonly service: string;
  readonly key: string;
  readonly revision: string;
  /** Notes for the report, whether it is built or found. */
  readonly notes: readonly string[];
  /** Its version, whose tag no other candidate may have; undefined if it has none. */
  readonly version: string | undefined;
  readonly build: (registries: BuildFor) => Promise<BuiltCandidate>;
  /** Annotations of its index, besides its key. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Labels of every variant. */
  readonly labels: Readonly<Record<string, string>>;
  /** Tests of a candidate found in a registry. */
  readonly tests: ImageTests;
}
