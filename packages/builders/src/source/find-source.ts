import type { Directory, GitRef, GitRepository } from "@dagger.io/dagger";
import type { Service } from "@tgo/catalog";
import { isTgoError, TgoError } from "@tgo/errors";
import type { BuildContext, Uncommitted } from "../build-context.js";
import { readCommitTime } from "../container-tools/container-tools.js";
import { errorMessage } from "../exec-failure.js";
import { entryName } from "./entry-name.js";
import { isMarked } from "./markers.js";

export interface SourceOptions {
  readonly source?: Directory;
  readonly revision?: string;
  /** The source's time, in RFC 3339 or as seconds since 1970. */
  readonly created?: string;
  /** The version to build, without a v: a source from git is its tag. */
  readonly version?: string;
  /** The Git tag that names the version, if the caller gave one. */
  readonly gitTag?: string;
}

/** A service's folder, and the commit that it equals, if any. */
export interface FoundSource {
  readonly directory: Directory;
  /** Its path in the given directory or repository. */
  readonly folder: string;
  readonly revision?: string;
  readonly created?: Date;
  readonly uncommitted?: Uncommitted;
}

/** The service's folder in the given directory or the surrounding repository; undefined if it is in neither. */
export async function findSource(
  context: BuildContext,
  name: string,
  service: Service,
  options: SourceOptions,
): Promise<FoundSource | undefined> {
  const { source: given } = options;
  const { repos } = context;
  const path = service.source.path ?? `repos/${name}`;
  if (given === undefined) {
    return repos !== undefined && (await isDirectory(repos, path))
      ? { directory: repos.directory(path), folder: path }
      : undefined;
  }
  const entries = (await given.entries()).map(entryName);
  const found = async (directory: Directory, folder: string): Promise<FoundSource> => {
    const hasState = options.revision === undefined && entries.includes(".git");
    return { directory, folder, ...(hasState ? await gitState(context, given, folder) : {}) };
  };
  if (await isDirectory(given, path)) return found(given.directory(path), path);
  if (isMarked(service.build, entries) || !entries.includes(name)) return found(given, "");
  return found(given.directory(name), name);
}

/**
 * The commit of a directory with a .git, if nothing in the folder differs from it. Skipped on the caller's machine, where
 * the `tgo` command has already queried git.
 */
async function gitState(
  context: BuildContext,
  directory: Directory,
  folder: string,
): Promise<Partial<FoundSource>> {
  if (context.host.local === true) return {};
  try {
    const repository = directory.asGit();
    const changes = repository.uncommitted();
    const [revision, ...changed] = await Promise.all([
      repository.head().commit(),
      changes.addedPaths(),
      changes.modifiedPaths(),
      changes.removedPaths(),
    ]);
    const isInFolder = (path: string): boolean => folder === "" || `${path}/`.startsWith(`${folder}/`);
    const files = changed.flat().filter(isInFolder);
    if (files.length > 0) return { uncommitted: { changed: files } };
    return { revision, ...(await commitTimeOf(context, repository.head(), revision)) };
  } catch (cause) {
    // For example, a worktree's .git is a file that points elsewhere, or the repository has no commit yet.
    context.progress.note({ step: "prepare" }, `the source's .git cannot be read: ${errorMessage(cause)}`);
    return { uncommitted: { why: "its .git cannot be read" } };
  }
}

/** The commit's time, if it can be determined. */
async function commitTimeOf(
  context: BuildContext,
  ref: GitRef,
  revision: string,
): Promise<{ readonly created?: Date }> {
  const git = ref.tree().directory(".git");
  const created = await readCommitTime(context, git, revision).catch(() => undefined);
  return created === undefined ? {} : { created };
}

async function isDirectory(directory: Directory, path: string): Promise<boolean> {
  const [first = "", ...rest] = path.split("/");
  const entry = (await directory.entries()).find((candidate) => entryName(candidate) === first);
  if (entry === undefined) return false;
  return rest.length === 0 || isDirectory(directory.directory(first), rest.join("/"));
}

/**
 * The service's folder in the catalog's git repository: at the given revision, else at the version's tag, else at the
 * head of the default branch.
 * @throws TgoError SOURCE
 */
export async function sourceFromGit(
  context: BuildContext,
  name: string,
  service: Service,
  options: SourceOptions = {},
): Promise<FoundSource> {
  const { repository, path = `repos/${name}` } = service.source;
  try {
    const git = context.client.git(repository);
    const { ref, called } = await refOf(git, name, repository, options);
    const revision = await ref.commit();
    const directory = await ref.tree().directory(path).sync();
    const time = await commitTimeOf(context, ref, revision);
    context.progress.note(
      { step: "prepare", service: name },
      `source: ${repository} (${path}) at ${called === undefined ? "" : `${called}, `}${revision}`,
    );
    return { directory, folder: path, revision, ...time };
  } catch (cause) {
    if (isTgoError(cause)) throw cause;
    throw new TgoError(
      "SOURCE",
      `no source for ${name}: --source is missing, and ${repository} (${path}) cannot be read`,
      {
        remedy: `Run this in a checkout that contains ${path}, or pass --source DIR.`,
        cause,
      },
    );
  }
}

/** What to build, and its name unless it is the default branch. */
async function refOf(
  git: GitRepository,
  service: string,
  repository: string,
  { revision, version, gitTag }: SourceOptions,
): Promise<{ readonly ref: GitRef; readonly called?: string }> {
  if (revision !== undefined) {
    return { ref: /^[0-9a-f]{40,64}$/.test(revision) ? git.commit(revision) : git.ref(revision) };
  }
  if (version === undefined) return { ref: git.head() };
  const given = gitTag?.replace(/^refs\/tags\//, "");
  // The spellings that --git-tag takes, the service's own first.
  const spellings =
    given === undefined ? [`${service}-v${version}`, `v${version}`, version] : ([given] as const);
  const listed = await git.tags({ patterns: spellings.map((tag) => `refs/tags/${tag}`) });
  const tags = new Set(listed.map((tag) => tag.replace(/^refs\/tags\//, "")));
  const tag = spellings.find((spelling) => tags.has(spelling));
  if (tag !== undefined) return { ref: git.tag(tag), called: tag };
  const all =
    spellings.length === 1 ? `tag ${spellings.join("")}` : `tag of ${version} (${spellings.join(", ")})`;
  throw new TgoError(
    "SOURCE",
    `no source for ${service}: --source is missing, and ${repository} has no ${all}`,
    {
      remedy:
        `Push the tag ${given ?? `v${version}`} there. To build something else as ${version}, pass --source DIR, ` +
        "or --revision with a commit of that repository.",
    },
  );
}
