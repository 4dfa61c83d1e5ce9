import { compareStatus } from "./compare-status.js";
import type { Disagreement } from "./disagreement.js";
import { tagOfVersion, versionsOf, type TagTarget } from "./tag-target.js";
import { snapshotOf, type RegistrySnapshot } from "./registry-snapshot.js";
import { isFloating, kindOfTag } from "./tag-kind.js";
import { LATEST, type TagPolicy } from "./tag-plan.js";
import { newestVersion, type Version } from "./version.js";

/** What a tag stands for. */
export interface Pointer {
  readonly tag: string;
  readonly digest: string;
  /** Undefined when nothing says which version it is. */
  readonly version: string | undefined;
}

/** One line of the status screen. */
export interface StatusRow {
  readonly service: string;
  readonly registry: string;
  /** Why it could not be asked; then nothing else is known. */
  readonly unreachable?: string;
  readonly latest?: Pointer;
  /** Tags of lines, 1 and 1.2; the newest line first. */
  readonly lines: readonly Pointer[];
  /** The newest stable version, by semver order. */
  readonly newest?: Pointer;
  /** The newest prerelease, when it is newer than that: what may come next. Older ones are history. */
  readonly prerelease?: Pointer;
}

export interface Status {
  readonly rows: readonly StatusRow[];
  readonly disagreements: readonly Disagreement[];
}

export interface StatusService {
  readonly service: string;
  /** What should float; where it is not given, only tags that are there are judged. */
  readonly policy?: TagPolicy;
}

/**
 * What `latest`, the floating tags and the newest version stand for, in every registry, and where they disagree.
 * Never throws: it is looked at after an incident, when nothing is as it should be. What is not in `sights` was
 * not asked.
 */
export function releaseStatus(asked: {
  readonly services: readonly StatusService[];
  readonly registries: readonly string[];
  readonly snapshots: readonly RegistrySnapshot[];
}): Status {
  const seen = asked.services.map(({ service, policy }) => ({
    service,
    policy,
    places: asked.registries.map((registry) => ({
      registry,
      contents: snapshotOf(asked.snapshots, service, registry),
    })),
  }));
  return {
    rows: seen.flatMap(({ service, places }) =>
      places.map(({ registry, contents }) =>
        contents.state === "seen"
          ? { service, registry, ...pointers(contents.tags, service) }
          : { service, registry, unreachable: contents.why, lines: [] },
      ),
    ),
    disagreements: compareStatus(seen),
  };
}

function pointers(
  tags: ReadonlyMap<string, TagTarget>,
  service: string,
): Pick<StatusRow, "latest" | "lines" | "newest" | "prerelease"> {
  const versions = versionsOf(tags, service);
  const stable = newestVersion(versions.filter((version) => version.stable));
  const newest = newestVersion(versions);
  const latest = tags.get(LATEST);
  return {
    latest: latest && pointer(LATEST, latest),
    lines: [...tags]
      .filter(([tag]) => tag !== LATEST && isFloating(kindOfTag(tag)))
      .sort(([a], [b]) => b.localeCompare(a, "en", { numeric: true }))
      .map(([tag, holding]) => pointer(tag, holding)),
    newest: stable && versionPointer(tags, stable, service),
    prerelease: newest === undefined || newest.stable ? undefined : versionPointer(tags, newest, service),
  };
}

function pointer(tag: string, { digest, version }: TagTarget): Pointer {
  return { tag, digest, version: version?.text };
}

function versionPointer(
  tags: ReadonlyMap<string, TagTarget>,
  version: Version,
  service: string,
): Pointer | undefined {
  const found = tagOfVersion(tags, version, service);
  return found && { ...found, version: version.text };
}
