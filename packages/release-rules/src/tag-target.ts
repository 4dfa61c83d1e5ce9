import { kindOfTag } from "./tag-kind.js";
import { compareVersions, newestVersion, readVersion, type Version } from "./version.js";

/** What a tag points to in one registry. */
export interface TagTarget {
  /** Digest of the index. */
  readonly digest: string;
  /** Undefined when the image's version is unknown. */
  readonly version: Version | undefined;
}

/** A tag as a registry returns it. */
export interface SeenTag {
  readonly tag: string;
  readonly digest: string;
  /** `org.opencontainers.image.version` of the index; needed for floating tags only. */
  readonly annotation?: string;
}

/**
 * The version behind a floating tag: the one the image's index names, else the version tag with the same
 * digest, else unknown. Of several such tags the newest counts: 1.2.3 before its own 1.2.3-rc.1.
 * @param of.annotation any text; one that is not a version ("main") is ignored
 */
export function versionBehind(of: {
  readonly annotation: string | undefined;
  readonly versionTagsWithSameDigest: readonly Version[];
}): Version | undefined {
  const annotated = of.annotation === undefined ? undefined : readVersion(of.annotation);
  return annotated ?? newestVersion(of.versionTagsWithSameDigest);
}

/** The tags of a service's repository in one registry, each with the version behind it. */
export function tagTargets(seen: readonly SeenTag[], service: string): ReadonlyMap<string, TagTarget> {
  const versions = new Map<string, Version[]>();
  for (const { tag, digest } of seen) {
    const kind = kindOfTag(tag, service);
    if (kind.kind === "version") versions.set(digest, [...(versions.get(digest) ?? []), kind.version]);
  }
  return new Map(
    seen.map(({ tag, digest, annotation }) => {
      const kind = kindOfTag(tag, service);
      const version =
        kind.kind === "version"
          ? kind.version
          : versionBehind({ annotation, versionTagsWithSameDigest: versions.get(digest) ?? [] });
      return [tag, { digest, version }];
    }),
  );
}

/** The tagged versions, each once however it is spelled, newest first. */
export function versionsOf(tags: ReadonlyMap<string, TagTarget>, service: string): readonly Version[] {
  const versions = new Map<string, Version>();
  for (const tag of tags.keys()) {
    const kind = kindOfTag(tag, service);
    if (kind.kind === "version") versions.set(kind.version.text, kind.version);
  }
  return [...versions.values()].sort((a, b) => compareVersions(b, a));
}

/** All tags of a version that exist: its own first, then other spellings (`v1.2.3`, `tgo-api-v1.2.3`). */
export function tagsOfVersion(
  tags: ReadonlyMap<string, TagTarget>,
  version: Version,
  service: string,
): readonly { readonly tag: string; readonly digest: string }[] {
  const spellings = [version.text, `v${version.text}`, `${service}-v${version.text}`];
  return spellings.flatMap((tag) => {
    const target = tags.get(tag);
    return target === undefined ? [] : [{ tag, digest: target.digest }];
  });
}

/** The first of a version's tags; undefined when it has none. */
export function tagOfVersion(
  tags: ReadonlyMap<string, TagTarget>,
  version: Version,
  service: string,
): { readonly tag: string; readonly digest: string } | undefined {
  return tagsOfVersion(tags, version, service)[0];
}

/** Whether any tag of the repository points to the image. */
export function hasDigest(tags: ReadonlyMap<string, TagTarget>, digest: string): boolean {
  return [...tags.values()].some((target) => target.digest === digest);
}
