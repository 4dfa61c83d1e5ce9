import { errorMessage } from "@tgo/builders";
import { isTgoError, TgoError } from "@tgo/errors";
import { inParallel } from "@tgo/registry";
import { isFloating, kindOfTag, tagTargets, type RegistrySnapshot, type SeenTag } from "@tgo/release-rules";
import type { TargetContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import type { IndexCache } from "./index-cache.js";

/** Tags of one service that must be read, even if the registry's list of tags lacks them. */
export interface TagQuery {
  readonly service: string;
  readonly tags: readonly string[];
  /** Versions that an earlier snapshot of a registry has; the digests of newer ones are read too. */
  readonly known?: (registry: string) => ReadonlySet<string> | undefined;
}

/** Version tags of one repository, and as many floating ones. Each costs a request. */
const MAX_TAGS_READ = 1000;
/** Reads at once. After the first failure, no more are begun. */
const READS_AT_ONCE = 16;

/** The version tags whose digests are read: those that a release needs, or all. */
export type VersionsToRead = "needed" | "all";

/** Snapshots of all registries for all services. A registry that cannot be read is `unreachable`, with the reason. */
export function readTags(
  context: TargetContext,
  queries: readonly TagQuery[],
  indexes: IndexCache,
  { versions = "needed" }: { readonly versions?: VersionsToRead } = {},
): Promise<RegistrySnapshot[]> {
  return Promise.all(
    context.targets.flatMap((target) =>
      queries.map(async (query): Promise<RegistrySnapshot> => {
        const { service } = query;
        const repository = { service, registry: target.name };
        try {
          const tags = tagTargets(await readRepository(target, query, indexes, versions), service);
          return { ...repository, contents: { state: "seen", tags } };
        } catch (error) {
          if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
          const why = isTgoError(error) ? error.what : errorMessage(error);
          return { ...repository, contents: { state: "unreachable", why } };
        }
      }),
    ),
  );
}

async function readRepository(
  target: Target,
  { service, tags, known: knownVersions }: TagQuery,
  indexes: IndexCache,
  versions: VersionsToRead,
): Promise<SeenTag[]> {
  const repository = repositoryOf(target, service);
  const resolve = async (tag: string): Promise<SeenTag[]> => {
    const found = await target.client.resolve(repository, tag, { push: true });
    return found === undefined ? [] : [{ tag, digest: found.digest }];
  };
  const read = <T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> =>
    inParallel(READS_AT_ONCE, items, work);
  const [listed, ...queried] = await Promise.all([target.client.tags(repository), ...tags.map(resolve)]);
  const found = queried.flat();
  const others = listed
    .filter((tag) => !tags.includes(tag))
    .map((tag) => ({ tag, ...kindOfTag(tag, service) }));
  // A release does not need the floating tags of other lines.
  const otherFloating = versions === "all" ? others.filter((other) => isFloating(other)) : [];
  requireFew(otherFloating.length);
  const resolvedFloating = await read(otherFloating, ({ tag }) => resolve(tag));
  const floating = [...found, ...resolvedFloating.flat()].filter(({ tag }) =>
    isFloating(kindOfTag(tag, service)),
  );
  const annotated = await read(floating, async ({ tag, digest }) => ({
    tag,
    digest,
    annotation: (await indexes.identity(target, service, digest)).version,
  }));
  // Old images have no version annotation; only then are the digests of version tags needed.
  const needsDigests = annotated.some(({ annotation }) => annotation === undefined);
  const queriedVersions = new Set(tags.flatMap((tag) => versionText(tag, service) ?? []));
  const before = knownVersions?.(target.name);
  const isNew = (version: string): boolean => before !== undefined && !before.has(version);
  const versionTags = others
    .filter(({ kind }) => kind === "version")
    .map(({ tag }) => {
      // Another spelling of a queried version, such as v1.2.3, is that version too.
      const version = versionText(tag, service) ?? "";
      const isNeeded = queriedVersions.has(version) || isNew(version);
      return { tag, isRead: versions === "all" || needsDigests || isNeeded };
    });
  requireFew(versionTags.filter(({ isRead }) => isRead).length);
  const resolvedVersions = await read(versionTags, async ({ tag, isRead }) =>
    isRead ? resolve(tag) : [{ tag, digest: `unread:${tag}` }],
  );
  return [
    ...found.filter(({ tag }) => !isFloating(kindOfTag(tag, service))),
    ...annotated,
    ...resolvedVersions.flat(),
  ];
}

function requireFew(tags: number): void {
  if (tags <= MAX_TAGS_READ) return;
  throw new TgoError(
    "CONFLICT",
    `the repository has ${tags} version tags, more than the ${MAX_TAGS_READ} that are read`,
    { remedy: "Delete versions that nobody needs." },
  );
}

function versionText(tag: string, service: string): string | undefined {
  const kind = kindOfTag(tag, service);
  return kind.kind === "version" ? kind.version.text : undefined;
}
