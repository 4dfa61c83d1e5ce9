import * as v from "@tgo/schemas";
import { ReleaseGuards } from "./release-guards.js";
import { LATEST } from "./tag-kind.js";
import type { Version } from "./version.js";

/** Other spellings of a version that count as its own tag: `kindOfTag` reads them. */
const ALIASES = ["v{version}", "{service}-v{version}"];

/** Which tags a release writes besides its version's own. */
export const TagPolicy = v.strictObject({
  alias: v.pipe(
    v.optional(
      v.pipe(
        v.string(),
        v.check((text) => ALIASES.includes(text), `must be ${ALIASES.join(" or ")}`),
      ),
    ),
    v.description(
      "A second tag of each version, as permanent as the first, for users who pull v1.2.3: v{version} or " +
        "{service}-v{version}.",
    ),
  ),
  minor: v.pipe(
    v.optional(v.boolean(), true),
    v.description("Move the tag of the minor line, 1.2, with each stable 1.2.x."),
  ),
  major: v.pipe(
    v.optional(v.boolean(), true),
    v.description(
      "Move the tag of the major line, 1, with each stable 1.x.y. There is never a tag 0: versions below 1.0.0 " +
        "promise nothing to each other.",
    ),
  ),
  latest: v.pipe(
    v.optional(v.boolean(), true),
    v.description("Move latest with each stable version that is newer."),
  ),
  guards: v.pipe(
    v.optional(ReleaseGuards),
    v.description("What a release must be besides complete. Nothing if absent."),
  ),
});
export type TagPolicy = v.InferOutput<typeof TagPolicy>;

export interface TagPlan {
  /** The version's own tag; written first and never changed. */
  readonly version: string;
  /** Its second tag, written with the first and never changed either. */
  readonly alias?: string;
  /** In the order of writing: `latest` is last. */
  readonly floating: readonly string[];
}

/**
 * The tags of a version. A prerelease has only its own. Below 1.0.0 a minor release may break compatibility
 * (https://semver.org/spec/v2.0.0.html#spec-item-4): 0.3.1 moves 0.3 and latest, and there is no tag 0.
 */
export function planTags(version: Version, policy: TagPolicy, service: string): TagPlan {
  const { major, minor, stable, text } = version;
  const floating = [
    ...(policy.minor ? [`${major}.${minor}`] : []),
    ...(policy.major && major > 0 ? [`${major}`] : []),
    ...(policy.latest ? [LATEST] : []),
  ];
  const alias = policy.alias?.replaceAll("{version}", text).replaceAll("{service}", service);
  return { version: text, ...(alias === undefined ? {} : { alias }), floating: stable ? floating : [] };
}

/** The tags of a plan that never change: the version's own, then its alias. */
export function versionTags({ version, alias }: TagPlan): readonly string[] {
  return alias === undefined ? [version] : [version, alias];
}
