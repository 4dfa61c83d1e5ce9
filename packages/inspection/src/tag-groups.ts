import { address, inParallel, isDigest, type Registry } from "@tgo/registry";
import { jsonText, renderTable, type OutputFormat } from "@tgo/report";
import { foreseenProblem, TgoError } from "@tgo/errors";

/** Tags of a repository that have the same digest. */
export interface TagGroup {
  readonly digest: string;
  /** Versions first, the newest one first. */
  readonly tags: readonly string[];
}

/** A repository's tags, for `tags`. JSON of this shape is part of the command's interface. */
export interface RepositoryTags {
  /** `host/repository` */
  readonly repository: string;
  /** The group with the newest version first. */
  readonly groups: readonly TagGroup[];
  /** Tags whose digest the registry did not tell, with the reason. */
  readonly unread: readonly { readonly tag: string; readonly why: string }[];
}

/** Tags whose digests are asked for at once. */
const READS_AT_ONCE = 16;

/**
 * Which tags of a repository share a digest. Digests are asked for without pulling: Docker Hub does not count them.
 * @param only a tag or a digest: only the group that it belongs to
 * @throws TgoError as Registry does; NOT_FOUND when there is no such tag, or no tag has the digest
 */
export async function readTagGroups(
  registry: Registry,
  repository: string,
  only?: string,
): Promise<RepositoryTags> {
  const digest =
    only === undefined || isDigest(only) ? only : (await registry.resolve(repository, only))?.digest;
  const where = only === undefined ? `${registry.host}/${repository}` : address(registry, repository, only);
  if (only !== undefined && digest === undefined)
    throw new TgoError("NOT_FOUND", `there is no tag "${only}"`, {
      where,
      remedy: "Check the name: tags are case-sensitive.",
    });
  const tags = await registry.tags(repository);
  if (tags.length === 0)
    throw new TgoError("NOT_FOUND", "the repository has no tags, or does not exist", {
      where,
      remedy: "Check the name, and log in if the repository is private.",
    });
  const unread: { tag: string; why: string }[] = [];
  const groups = new Map<string, string[]>();
  await inParallel(READS_AT_ONCE, tags, async (tag) => {
    try {
      const found = await registry.resolve(repository, tag);
      if (found === undefined) unread.push({ tag, why: "it was removed meanwhile" });
      else groups.set(found.digest, [...(groups.get(found.digest) ?? []), tag]);
    } catch (error) {
      const { code, what } = foreseenProblem(error);
      // The other tags would fail the same way.
      if (code !== "INVALID_RESPONSE" && code !== "NOT_FOUND") throw error;
      unread.push({ tag, why: what });
    }
  });
  const all = [...groups]
    .map(([of, names]) => ({ digest: of, tags: names.sort(compareTags) }))
    .sort((a, b) => compareTags(a.tags[0] ?? "", b.tags[0] ?? ""));
  const chosen = digest === undefined ? all : all.filter((group) => group.digest === digest);
  if (chosen.length === 0)
    throw new TgoError("NOT_FOUND", "no tag has this digest", {
      where,
      remedy: "List all tags of the repository, without a digest.",
    });
  return {
    repository: `${registry.host}/${repository}`,
    groups: chosen,
    unread: digest === undefined ? unread.sort((a, b) => compareTags(a.tag, b.tag)) : [],
  };
}

/** Versions before other tags, the newest one first; of one version the longer, more exact tag first. */
export function compareTags(a: string, b: string): number {
  const [left, right] = [versionOf(a), versionOf(b)];
  if (left === undefined || right === undefined)
    return left === right ? (a < b ? -1 : 1) : left === undefined ? 1 : -1;
  for (let at = 0; at < Math.max(left.numbers.length, right.numbers.length); at++) {
    // 1.2 is whatever is newest in 1.2: it follows 1.2.4, and precedes 1.1.9.
    const [one = Number.NEGATIVE_INFINITY, other = Number.NEGATIVE_INFINITY] = [
      left.numbers[at],
      right.numbers[at],
    ];
    if (one !== other) return other > one ? 1 : -1;
  }
  // A prerelease is older than its version, and other suffixes are variants of it.
  if (left.rest === "" || right.rest === "") return left.rest === right.rest ? 0 : left.rest === "" ? -1 : 1;
  return right.rest.localeCompare(left.rest, "en", { numeric: true });
}

/** The numbers that a tag such as `v1.2.3-rc.1` or `3.11-slim` begins with. */
function versionOf(tag: string): { readonly numbers: readonly number[]; readonly rest: string } | undefined {
  const [, numbers, rest = ""] = /^v?(\d{1,9}(?:\.\d{1,9})*)(?![0-9a-zA-Z])(.*)$/.exec(tag) ?? [];
  return numbers === undefined ? undefined : { numbers: numbers.split(".").map(Number), rest };
}

/** The tags for a person, or as JSON: `{ "repositories": [RepositoryTags] }`. */
export function renderTagGroups(all: readonly RepositoryTags[], format: OutputFormat): string {
  if (format === "json") return jsonText({ repositories: all });
  return all
    .map(({ repository, groups, unread }) =>
      [
        format === "markdown" ? `## ${repository}\n` : repository,
        renderTable(
          ["digest", "tags"],
          [
            ...groups.map(({ digest, tags }) => [digest, tags.join(", ")]),
            ...unread.map(({ tag, why }) => ["-", `${tag} (${why})`]),
          ],
          format,
        ),
      ].join("\n"),
    )
    .join("\n\n");
}
