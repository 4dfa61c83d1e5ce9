import { compareStatus } from "./compare-status.js";
import type { Disagreement } from "./disagreement.js";
import { snapshotOf, type RegistrySnapshot } from "./registry-snapshot.js";
import { isFloating, kindOfTag, LATEST } from "./tag-kind.js";
import type { TagPolicy } from "./tag-plan.js";
import { tagOfVersion, versionsOf, type TagTarget } from "./tag-target.js";
import { newestVersion, type Version } from "./version.js";

/** A tag and its target. */
export interface Pointer {
  readonly tag: string;
  readonly digest: string;
  /** Undefined when the image's version is unknown. */
  readonly version: string | undefined;
}

/** One service in one registry: a row of the status table. */
export interface StatusRow {
  readonly service: string;
  readonly registry: string;
  /** Why the registry could not be queried; the other fields are then empty. */
  readonly unreachable?: string;
  readonly latest?: Pointer;
  /** The minor and major tags, 1.2 and 1; the newest line first. */
  readonly lines: readonly Pointer[];
  /** The newest stable version, by semver order. */
  readonly newest?: Pointer;
  /** The newest prerelease, when it is newer than `newest`. */
  readonly prerelease?: Pointer;
}

export interface Status {
  readonly rows: readonly StatusRow[];
  readonly disagreements: readonly Disagreement[];
}

export interface StatusService {
  readonly service: string;
  /** Which floating tags are expected; without it, only existing tags are checked. */
  readonly policy?: TagPolicy;
}

/**
 * What `latest`, the floating tags and the newest version point to in every registry, and where they disagree.
 * Never throws: it is read after an incident, when anything may be broken. A registry without a snapshot is reported
 * as unreachable.
 */
export function releaseStatus(of: {
  readonly services: readonly StatusService[];
  readonly registries: readonly string[];
  readonly snapshots: readonly RegistrySnapshot[];
}): Status {
  const services = of.services.map(({ service, policy }) => ({
    service,
    policy,
    snapshots: of.registries.map((registry) => ({
      registry,
      contents: snapshotOf(of.snapshots, service, registry),
    })),
  }));
  return {
    rows: services.flatMap(({ service, snapshots }) =>
      snapshots.map(({ registry, contents }) =>
        contents.state === "seen"
          ? { service, registry, ...pointers(contents.tags, service) }
          : { service, registry, unreachable: contents.why, lines: [] },
      ),
    ),
    disagreements: compareStatus(services),
  };
}

function pointers(
  tags: ReadonlyMap<string, TagTarget>,
  service: string,
): Pick<StatusRow, "latest" | "lines" | "newest" | "prerelease"> {
  const versions = versionsOf(tags, service);
  const stable = newestVersion(versions.filter((version) => version.stable));
  const newestOfAll = newestVersion(versions);
  const latest = tags.get(LATEST);
  const newest = stable && versionPointer(tags, stable, service);
  const prerelease = newestOfAll?.stable === false ? versionPointer(tags, newestOfAll, service) : undefined;
  return {
    ...(latest && { latest: pointer(LATEST, latest) }),
    lines: [...tags]
      .filter(([tag]) => tag !== LATEST && isFloating(kindOfTag(tag)))
      .sort(([a], [b]) => b.localeCompare(a, "en", { numeric: true }))
      .map(([tag, target]) => pointer(tag, target)),
    ...(newest && { newest }),
    ...(prerelease && { prerelease }),
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
