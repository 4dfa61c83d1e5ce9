import type { ReadProvenance } from "@tgo/attestation";
import type { ImageComparison } from "@tgo/publishing";

/** What a reproduction found. JSON of this shape is part of the command's interface. */
export interface Reproduction extends ReadProvenance {
  readonly reference: string;
  readonly comparison: ImageComparison;
}
