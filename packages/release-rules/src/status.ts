import { compareStatus } from "./compare-status.js";
import { disagreement, type Disagreement } from "./disagreement.js";
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

/** An image that a registry has tagged, but not whole. */
export interface IncompleteImage {
  readonly service: string;
  readonly registry: string;
  readonly digest: string;
  /** What is missing, such as "linux/arm64 is incomplete: ...". */
  readonly why: string;
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
  readonly incomplete?: readonly IncompleteImage[];
  /** The remedy for an incomplete version of these services. */
  readonly restore?: (version: string, services: readonly string[]) => string;
}): Status {
  const services = of.services.map(({ service, policy }) => ({
    service,
    policy,
    snapshots: of.registries.map((registry) => ({
      registry,
      contents: snapshotOf(of.snapshots, service, registry),
    })),
  }));
  const rows = services.flatMap(({ service, snapshots }) =>
    snapshots.map(({ registry, contents }): StatusRow =>
      contents.state === "seen"
        ? { service, registry, ...pointers(contents.tags, service) }
        : { service, registry, unreachable: contents.why, lines: [] },
    ),
  );
  const incomplete = incompleteImages(rows, of.incomplete ?? [], of.restore);
  return { rows, disagreements: [...incomplete, ...compareStatus(services)] };
}

/** The newest minor and major lines: more would cost too many requests. */
const LINES_CHECKED = 4;

/** What users pull most of what a row shows: `latest`, the newest versions and lines. */
export function pulledImages({ latest, newest, prerelease, lines }: StatusRow): readonly Pointer[] {
  return [latest, newest, prerelease, ...lines.slice(0, LINES_CHECKED)].filter(
    (pointer) => pointer !== undefined,
  );
}

function incompleteImages(
  rows: readonly StatusRow[],
  images: readonly IncompleteImage[],
  restore: ((version: string, services: readonly string[]) => string) | undefined,
): Disagreement[] {
  const found = images.map((image) => {
    const row = rows.find(
      ({ service, registry }) => service === image.service && registry === image.registry,
    );
    const pointers = (row === undefined ? [] : pulledImages(row)).filter(
      ({ digest }) => digest === image.digest,
    );
    const tags = [...new Set(pointers.map(({ tag }) => tag))];
    return { ...image, tags, version: pointers.find(({ version }) => version !== undefined)?.version };
  });
  return found.map(({ service, registry, why, tags, version }) => {
    const affected = found.filter((other) => other.version === version).map((other) => other.service);
    const message = `${tags.join(", ")} in ${registry} cannot be pulled whole: ${why}`;
    return disagreement({
      kind: "incomplete",
      service,
      registries: [{ registry }],
      ...(tags[0] === undefined ? {} : { tag: tags[0] }),
      message,
      ...(version === undefined || restore === undefined
        ? {}
        : { remedy: restore(version, [...new Set(affected)]) }),
    });
  });
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
