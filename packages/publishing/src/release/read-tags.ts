import { isTgoError } from "@tgo/errors";
import type { FetchedManifest } from "@tgo/registry";
import {
  tagTargets,
  isFloating,
  kindOfTag,
  type CandidateIdentity,
  type SeenTag,
  type RegistrySnapshot,
} from "@tgo/release-rules";
import { repositoryOf, type Target } from "../targets/target.js";
import { errorMessage } from "@tgo/builders";
import type { TargetContext } from "../targets/publish-context.js";

/** Tags of one service that a look must not miss, whatever the registry's list of tags says. */
export interface TagQuery {
  readonly service: string;
  readonly tags: readonly string[];
  /** The versions that an earlier look saw in a registry: what came since is read whole. */
  readonly known?: (registry: string) => ReadonlySet<string> | undefined;
}

/** Indexes by digest, each read once, from whatever registry has it: a digest is the same bytes everywhere. */
export class IndexCache {
  readonly #known = new Map<string, Promise<FetchedManifest>>();

  /** What the image says of itself. */
  async identity(target: Target, service: string, digest: string): Promise<CandidateIdentity> {
    const annotations = (await this.read(target, service, digest)).value.annotations ?? {};
    return {
      version: annotations["org.opencontainers.image.version"],
      revision: annotations["org.opencontainers.image.revision"],
    };
  }

  async read(target: Target, service: string, digest: string): Promise<FetchedManifest> {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const reading = target.client.manifest(repositoryOf(target, service), digest, { push: true });
    this.#known.set(digest, reading);
    // What one registry could not say, another one may.
    reading.catch(() => this.#known.delete(digest));
    return reading;
  }
}

/** All registries as they are now, for every service. A registry that cannot be asked says why. */
export function readTags(
  context: TargetContext,
  wanted: readonly TagQuery[],
  indexes: IndexCache,
  { versions = "needed" }: { readonly versions?: Versions } = {},
): Promise<RegistrySnapshot[]> {
  return Promise.all(
    context.targets.flatMap((target) =>
      wanted.map(async (of): Promise<RegistrySnapshot> => {
        const place = { service: of.service, registry: target.name };
        try {
          return {
            ...place,
            contents: {
              state: "seen",
              tags: tagTargets(await seen(target, of, indexes, versions), of.service),
            },
          };
        } catch (error) {
          if (isTgoError(error) && error.code === "INTERRUPTED") throw error;
          const why = isTgoError(error) ? error.what : errorMessage(error);
          return { ...place, contents: { state: "unreachable", why } };
        }
      }),
    ),
  );
}

/** Which version tags' digests are read: those that a release needs, or all of them. */
export type Versions = "needed" | "all";

async function seen(
  target: Target,
  { service, tags, known: knownIn }: TagQuery,
  indexes: IndexCache,
  versions: Versions,
): Promise<SeenTag[]> {
  const repository = repositoryOf(target, service);
  const resolve = async (tag: string): Promise<SeenTag[]> => {
    const found = await target.client.resolve(repository, tag, { push: true });
    return found === undefined ? [] : [{ tag, digest: found.digest }];
  };
  const [listed, ...asked] = await Promise.all([target.client.tags(repository), ...tags.map(resolve)]);
  const known = asked.flat();
  const kinds = listed
    .filter((tag) => !tags.includes(tag))
    .map((tag) => ({ tag, ...kindOfTag(tag, service) }));
  // Other lines' floating tags are nothing to a release.
  const lines = versions === "all" ? kinds.filter(({ kind }) => FLOATING.has(kind)) : [];
  const others = await Promise.all(lines.map(({ tag }) => resolve(tag)));
  const floating = [...known, ...others.flat()].filter(({ tag }) => isFloating(kindOfTag(tag, service)));
  const annotated = await Promise.all(
    floating.map(async ({ tag, digest }) => ({
      tag,
      digest,
      annotation: (await indexes.identity(target, service, digest)).version,
    })),
  );
  // Old images say nothing of their version; only then the version tags' digests are needed.
  const silent = annotated.some(({ annotation }) => annotation === undefined);
  const asking = new Set(tags.flatMap((tag) => versionText(tag, service) ?? []));
  const before = knownIn?.(target.name);
  const isNew = (version: string): boolean => before !== undefined && !before.has(version);
  const resolved = await Promise.all(
    kinds
      .filter(({ kind }) => kind === "version")
      .map(async ({ tag }) => {
        // Another spelling of a version that is asked for (v1.2.3) must be seen for what it is.
        const version = versionText(tag, service) ?? "";
        const needed = asking.has(version) || isNew(version);
        return versions === "all" || silent || needed ? resolve(tag) : [{ tag, digest: `unread:${tag}` }];
      }),
  );
  return [
    ...known.filter(({ tag }) => !isFloating(kindOfTag(tag, service))),
    ...annotated,
    ...resolved.flat(),
  ];
}

const FLOATING: ReadonlySet<string> = new Set(["minor", "major", "latest"]);

function versionText(tag: string, service: string): string | undefined {
  const kind = kindOfTag(tag, service);
  return kind.kind === "version" ? kind.version.text : undefined;
}
