import { TgoError } from "@tgo/errors";
import type { Version } from "./version.js";

/** What an image's index says about itself. */
export interface CandidateIdentity {
  /** `org.opencontainers.image.version` */
  readonly version: string | undefined;
  /** `org.opencontainers.image.revision` */
  readonly revision: string | undefined;
}

/**
 * Why an image must not be released as a version; undefined when it may be. Version and revision are part of the
 * image's bytes: a release only adds tags to an image that already names its version.
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
    const own = version === undefined ? "has no version" : `is a candidate of ${version}`;
    return refuse(
      `it ${own} and cannot be released as ${wanted.text}`,
      `The version is part of an image's bytes: build the candidate with --version ${wanted.text}.`,
    );
  }
  if (revision === undefined) {
    return refuse(
      "it does not name the commit it was built from",
      "Build the candidate again, from a commit.",
    );
  }
  if (revision.startsWith("dev-")) {
    return refuse(
      `its source (${revision}) is not a commit: it had uncommitted changes, or no revision was given`,
      "Commit the changes and release the commit; dev- candidates are for trying out, not for release.",
    );
  }
  return undefined;
}
