import { kindOfTag } from "./tag-kind.js";

/** A tag of one service's repository in one registry. */
export interface PrunableTag {
  readonly tag: string;
  readonly digest: string;
  /**
   * When the image came to be, as far as anything says so; undefined when nothing does. No registry tells when a tag
   * was pushed, and an image's own time is its commit's: the push may be much younger. A staging tag's is not looked
   * at: until it is finalised, an image has the time of its base.
   */
  readonly created: Date | undefined;
}

export interface PruneOptions {
  /** Remove what is from before this moment. */
  readonly before: Date;
  /** So many of the youngest candidates stay, however old. Default 0. */
  readonly keep?: number;
  /** Also remove what has no time. Default false. */
  readonly undated?: boolean;
}

export interface PruneSelection {
  /** A registry deletes by digest, and with it every tag that stands for it: all of them are listed. */
  readonly remove: readonly {
    readonly digest: string;
    readonly tags: readonly string[];
    readonly why: string;
  }[];
  /** Candidate and staging tags that stay. Other tags are not prune's to speak of. */
  readonly keep: readonly { readonly tag: string; readonly digest: string; readonly why: string }[];
}

/** A commit's time is after this; builds without a commit are dated 1980-01-01, which says nothing. */
const UNKNOWN_BEFORE = Date.UTC(1981, 0, 1);

/**
 * Which candidate and staging tags of one repository to remove: those from before a moment, whose image has no other
 * name there. An image is removed whole or not at all: one tag that stays keeps the others of its digest. A staging tag
 * is as old as the candidate of its key; while that is not there, a release may be at work on it, and it has no age.
 */
export function selectPrunable(given: readonly PrunableTag[], options: PruneOptions): PruneSelection {
  const tags = datedByCandidate(given);
  const byDigest = new Map<string, PrunableTag[]>();
  for (const tag of tags) byDigest.set(tag.digest, [...(byDigest.get(tag.digest) ?? []), tag]);
  const youngest = youngestCandidates(tags, options.keep ?? 0);
  const remove: PruneSelection["remove"][number][] = [];
  const keep: PruneSelection["keep"][number][] = [];
  for (const [digest, group] of byDigest) {
    const ours = group.filter(isPassing);
    if (ours.length === 0) continue;
    const reason = reasonToKeep(group, youngest, options);
    if (reason === undefined) {
      const names = group.map(({ tag }) => tag).sort();
      remove.push({ digest, tags: names, why: `from ${dateOf(group)}, and no version or floating tag` });
    } else {
      for (const { tag } of ours) keep.push({ tag, digest, why: reason });
    }
  }
  return { remove: sorted(remove, ({ tags: [first = ""] }) => first), keep: sorted(keep, ({ tag }) => tag) };
}

function datedByCandidate(tags: readonly PrunableTag[]): PrunableTag[] {
  const candidates = new Map(tags.filter(isCandidate).map(({ tag, created }) => [tag, created]));
  return tags.map((tag) =>
    isStaging(tag) ? { ...tag, created: candidates.get(tag.tag.replace(/^staging-/, "candidate-")) } : tag,
  );
}

function reasonToKeep(
  group: readonly PrunableTag[],
  youngest: ReadonlySet<string>,
  { before, undated = false }: PruneOptions,
): string | undefined {
  const others = group.filter((tag) => !isPassing(tag)).map(({ tag }) => tag);
  if (others.length > 0) return `its image is ${others.sort().join(", ")}`;
  const times = group.flatMap(({ created }) => timeOf(created) ?? []);
  if (times.length < group.length && !undated)
    return group.every(isStaging)
      ? "its candidate is not there, or has no date: it may be in the making"
      : "nothing says how old it is";
  if (times.some((time) => time >= before.getTime())) return `from ${dateOf(group)}, not old enough`;
  const kept = group.find(({ tag }) => youngest.has(tag));
  return kept === undefined ? undefined : "one of the youngest candidates";
}

function youngestCandidates(tags: readonly PrunableTag[], count: number): ReadonlySet<string> {
  const candidates = tags.filter(isCandidate);
  const byAge = [...candidates].sort(
    (a, b) => (timeOf(b.created) ?? 0) - (timeOf(a.created) ?? 0) || (a.tag < b.tag ? -1 : 1),
  );
  return new Set(byAge.slice(0, count).map(({ tag }) => tag));
}

function isPassing(tag: PrunableTag): boolean {
  return isCandidate(tag) || isStaging(tag);
}

function isCandidate({ tag }: PrunableTag): boolean {
  return kindOfTag(tag).kind === "candidate";
}

function isStaging({ tag }: PrunableTag): boolean {
  return kindOfTag(tag).kind === "staging";
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
