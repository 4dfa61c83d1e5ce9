import { kindOfTag } from "./tag-kind.js";
import { compareVersions, newestVersion, readVersion, type Version } from "./version.js";

/** What a tag stands for in one registry. */
export interface TagTarget {
  /** Of the index. */
  readonly digest: string;
  /** Undefined when nothing says which version that is. */
  readonly version: Version | undefined;
}

/** A tag as a registry answers it. */
export interface SeenTag {
  readonly tag: string;
  readonly digest: string;
  /** `org.opencontainers.image.version` of the index; needed of floating tags only. */
  readonly annotation?: string;
}

/**
 * The version behind a floating tag (law 2): what the image's own index says, else the version tag that has the
 * same digest, else unknown. Of several such tags the newest counts: 1.2.3 before its own 1.2.3-rc.1.
 * @param annotation anything; a text that is no version ("main") says nothing
 */
export function versionBehind(of: {
  readonly annotation: string | undefined;
  readonly versionTagsWithSameDigest: readonly Version[];
}): Version | undefined {
  const said = of.annotation === undefined ? undefined : readVersion(of.annotation);
  return said ?? newestVersion(of.versionTagsWithSameDigest);
}

/** Every seen tag of a service's repository in one registry, with the version behind it. */
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

/** The versions that are tagged, each once however it is spelled, the newest first. */
export function versionsOf(held: ReadonlyMap<string, TagTarget>, service: string): readonly Version[] {
  const versions = new Map<string, Version>();
  for (const tag of held.keys()) {
    const kind = kindOfTag(tag, service);
    if (kind.kind === "version") versions.set(kind.version.text, kind.version);
  }
  return [...versions.values()].sort((a, b) => compareVersions(b, a));
}

/**
 * The tag under which a version is there: its own, else an older spelling of it (`v1.2.3`, `tgo-api-v1.2.3`).
 * Undefined when the version is not there.
 */
export function tagOfVersion(
  held: ReadonlyMap<string, TagTarget>,
  version: Version,
  service: string,
): { readonly tag: string; readonly digest: string } | undefined {
  const spellings = [version.text, `v${version.text}`, `${service}-v${version.text}`];
  const tag = spellings.find((spelling) => held.has(spelling));
  const holding = tag === undefined ? undefined : held.get(tag);
  return tag === undefined || holding === undefined ? undefined : { tag, digest: holding.digest };
}

/** Whether the repository holds the image at all: under whatever name. */
export function hasDigest(held: ReadonlyMap<string, TagTarget>, digest: string): boolean {
  return [...held.values()].some((holding) => holding.digest === digest);
}
