import { kindOfTag } from "./tag-kind.js";

/** A tag of one service's repository in one registry. */
export interface PrunableTag {
  readonly tag: string;
  readonly digest: string;
  /**
   * The image's creation time; undefined when unknown. Registries do not record when a tag was pushed, and an image's
   * own time is its commit's: the push may be much later. A staging tag's own time is ignored: until it is finalised, an
   * image has its base's. A variant tag's is ignored too: it is as temporary.
   */
  readonly created: Date | undefined;
}

export interface PruneOptions {
  /** Remove images created before this time. */
  readonly before: Date;
  /** Keep this many of the newest candidates, however old. Default 0. */
  readonly keep?: number;
  /** Also remove images without a creation time. Default false. */
  readonly undated?: boolean;
}

export interface PruneSelection {
  /** Registries delete by digest, and with it every tag that points to it: all of them are listed. */
  readonly remove: readonly {
    readonly digest: string;
    readonly tags: readonly string[];
    readonly why: string;
  }[];
  /** Candidate, staging and variant tags that stay. Other tags are none of prune's business. */
  readonly keep: readonly { readonly tag: string; readonly digest: string; readonly why: string }[];
}

/** Commits are newer than this; builds without a commit are dated 1980-01-01, which counts as unknown. */
const UNKNOWN_BEFORE = Date.UTC(1981, 0, 1);

/**
 * The candidate, staging and variant tags of one repository to remove: those created before a given time whose image has
 * no other tag. An image is removed with all its tags or not at all. A staging or variant tag is as old as the candidate with its key;
 * while that is missing, a build may be in progress, and the tag's age is unknown.
 */
export function selectPrunable(all: readonly PrunableTag[], options: PruneOptions): PruneSelection {
  const tags = datedByCandidate(all);
  const byDigest = new Map<string, PrunableTag[]>();
  for (const tag of tags) byDigest.set(tag.digest, [...(byDigest.get(tag.digest) ?? []), tag]);
  const newest = newestCandidates(tags, options.keep ?? 0);
  const remove: PruneSelection["remove"][number][] = [];
  const keep: PruneSelection["keep"][number][] = [];
  for (const [digest, group] of byDigest) {
    const temporary = group.filter(isTemporary);
    if (temporary.length === 0) continue;
    const reason = reasonToKeep(group, newest, options);
    if (reason === undefined) {
      const names = group.map(({ tag }) => tag).sort();
      remove.push({ digest, tags: names, why: `from ${dateOf(group)}, with no version or floating tag` });
    } else {
      for (const { tag } of temporary) keep.push({ tag, digest, why: reason });
    }
  }
  return { remove: sorted(remove, ({ tags: [first = ""] }) => first), keep: sorted(keep, ({ tag }) => tag) };
}

function datedByCandidate(tags: readonly PrunableTag[]): PrunableTag[] {
  // A candidate whose packages were compiled natively has a suffix.
  const candidates = new Map(tags.filter(isCandidate).map(({ tag, created }) => [keyOf(tag), created]));
  return tags.map((tag) => (isPart(tag) ? { ...tag, created: candidates.get(keyOf(tag.tag)) } : tag));
}

/** The 16 hex digits in the tag of a build. */
function keyOf(tag: string): string {
  return tag.replace(/^[a-z]+-(.{16}).*/, "$1");
}

function reasonToKeep(
  group: readonly PrunableTag[],
  newest: ReadonlySet<string>,
  { before, undated = false }: PruneOptions,
): string | undefined {
  const others = group.filter((tag) => !isTemporary(tag)).map(({ tag }) => tag);
  if (others.length > 0) return `its image is also ${others.sort().join(", ")}`;
  const times = group.flatMap(({ created }) => timeOf(created) ?? []);
  if (times.length < group.length && !undated)
    return group.every(isPart)
      ? "its candidate is missing or has no date: a build may be in progress"
      : "its age is unknown";
  if (times.some((time) => time >= before.getTime())) return `from ${dateOf(group)}, not old enough`;
  const kept = group.find(({ tag }) => newest.has(tag));
  return kept === undefined ? undefined : "one of the newest candidates";
}

function newestCandidates(tags: readonly PrunableTag[], count: number): ReadonlySet<string> {
  const candidates = tags.filter(isCandidate);
  const byAge = [...candidates].sort(
    (a, b) => (timeOf(b.created) ?? 0) - (timeOf(a.created) ?? 0) || (a.tag < b.tag ? -1 : 1),
  );
  return new Set(byAge.slice(0, count).map(({ tag }) => tag));
}

function isTemporary(tag: PrunableTag): boolean {
  return isCandidate(tag) || isPart(tag);
}

function isCandidate({ tag }: PrunableTag): boolean {
  return kindOfTag(tag).kind === "candidate";
}

/** Of an image that is not finished: it is as old as the candidate that it becomes. */
function isPart({ tag }: PrunableTag): boolean {
  return ["staging", "variant"].includes(kindOfTag(tag).kind);
}

function timeOf(created: Date | undefined): number | undefined {
  const time = created?.getTime() ?? Number.NaN;
  return time >= UNKNOWN_BEFORE ? time : undefined;
}

function dateOf(group: readonly PrunableTag[]): string {
  const times = group.flatMap(({ created }) => timeOf(created) ?? []);
  return times.length === 0 ? "an unknown time" : new Date(Math.max(...times)).toISOString().slice(0, 10);
}

function sorted<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...items].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
