import type { Directory, GitRef } from "@dagger.io/dagger";
import type { Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
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
 * The service's folder in the catalog's git repository.
 * @throws TgoError SOURCE
 */
export async function sourceFromGit(
  context: BuildContext,
  name: string,
  service: Service,
): Promise<FoundSource> {
  const { repository, path = `repos/${name}` } = service.source;
  try {
    const head = context.client.git(repository).head();
    const revision = await head.commit();
    const directory = await head.tree().directory(path).sync();
    const time = await commitTimeOf(context, head, revision);
    context.progress.note(
      { step: "prepare", service: name },
      `source: ${repository} (${path}) at ${revision}`,
    );
    return { directory, folder: path, revision, ...time };
  } catch (cause) {
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
