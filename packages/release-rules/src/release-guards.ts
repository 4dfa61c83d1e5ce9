import * as v from "@tgo/schemas";
import { isNewer, type Version } from "./version.js";

/** What a release must be besides complete; each is off unless the catalog turns it on. */
export const ReleaseGuards = v.strictObject({
  annotatedTag: v.pipe(
    v.optional(v.boolean(), false),
    v.description("Release only versions whose Git tag is annotated, and names the commit that is released."),
  ),
  defaultBranch: v.pipe(
    v.optional(v.union([v.boolean(), v.pipe(v.string(), v.nonEmpty())]), false),
    v.description(
      "Release only commits that are on the default branch of the remote origin, or on the branch that is named.",
    ),
  ),
  advances: v.pipe(
    v.optional(v.boolean(), false),
    v.description(
      "Release only versions newer than all of their minor line: 1.2.4 after 1.2.3, never 1.2.2. A version that is " +
        "released already may be finished.",
    ),
  ),
});
export type ReleaseGuards = v.InferOutput<typeof ReleaseGuards>;

/**
 * The newest released version that keeps a version from advancing its minor line.
 * @param released versions that a registry has
 * @returns undefined if the version is newer than all of them, or one of them
 */
export function newerInLine(version: Version, released: readonly Version[]): Version | undefined {
  if (released.some(({ text }) => text === version.text)) return undefined;
  return released
    .filter(({ major, minor }) => major === version.major && minor === version.minor)
    .reduce<Version | undefined>(
      (newest, each) => (isNewer(each, newest ?? version) ? each : newest),
      undefined,
    );
}
