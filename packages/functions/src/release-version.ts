import { TgoError } from "@tgo/errors";
import { parseReleaseTag, parseVersion, type ReleaseTag } from "@tgo/release-rules";
import type { ShellArguments } from "./shell-arguments.js";

/** The two ways to give a version. */
export type VersionFlags = ShellArguments<{
  version: string;
  /** A Git tag as CI systems provide it: v1.2.3 for all services, tgo-api-v1.2.3 for one. */
  gitTag: string;
}>;

/**
 * The version of a release, and the service if a Git tag names one.
 * @throws TgoError USAGE
 */
export function releaseVersion({ version, gitTag }: VersionFlags, services: readonly string[]): ReleaseTag {
  if (gitTag !== undefined && version === undefined) return parseReleaseTag(gitTag, services);
  if (version !== undefined && gitTag === undefined)
    return { version: parseVersion(version, "--version"), service: undefined };
  throw new TgoError(
    "USAGE",
    version === undefined ? "no version given" : "--version and --git-tag are mutually exclusive",
    { remedy: "Give one of them: --version 1.2.3, or --git-tag v1.2.3 as CI systems provide it." },
  );
}
