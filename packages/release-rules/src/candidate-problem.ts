import { TgoError } from "@tgo/errors";
import type { Version } from "./version.js";

/** What an image's index says of itself. */
export interface CandidateIdentity {
  /** `org.opencontainers.image.version` */
  readonly version: string | undefined;
  /** `org.opencontainers.image.revision` */
  readonly revision: string | undefined;
}

/**
 * Why an image must not be released as a version, or undefined when it may be. Version and revision are part of
 * its bytes: a release only adds names to what says itself what it is.
 * @param where the image's reference, for the message
 */
export function candidateProblem(
  { version, revision }: CandidateIdentity,
  wanted: Version,
  where: string,
): TgoError | undefined {
  const refuse = (what: string, remedy: string): TgoError =>
    new TgoError("CONFLICT", what, { where, remedy });
  if (version !== wanted.text) {
    const own = version === undefined ? "belongs to no version" : `is a candidate of ${version}`;
    return refuse(
      `it ${own}, and cannot be released as ${wanted.text}`,
      `The version is part of an image's bytes: make the candidate with --version ${wanted.text}.`,
    );
  }
  if (revision === undefined) {
    return refuse("it does not say which commit it was made of", "Make the candidate anew, from a commit.");
  }
  if (revision.startsWith("dev-")) {
    return refuse(
      `its source (${revision}) is no commit: it had changes, or was given without a revision`,
      "Commit the changes and release the commit; a dev- candidate is to be tried, not released.",
    );
  }
  return undefined;
}
