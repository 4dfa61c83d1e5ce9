import { mkdir, realpath, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { isTgoError, TgoError } from "@tgo/errors";
import { pathExists, readInputFile } from "@tgo/host";
import { readCommit, readTree, type Commit } from "./commit.js";
import { compareTree, type Comparison, type Difference } from "./compare.js";
import type { GitRun } from "./git-run.js";
import { ObjectReader } from "./object-reader.js";
import { openRepository, resolveReference, shadowEnvironment, type Repository } from "./repository.js";
import { callersSetting, GitFailed, runGit } from "./run-git.js";

export interface CheckoutOptions extends GitRun {
  /** A folder of a checkout: the one with the .git, or one below it. */
  readonly folder: string;
  /** What of the folder is built, relative to it; "" is everything. */
  readonly paths: readonly string[];
  /** Names, at any depth, that no build sees. */
  readonly skip: ReadonlySet<string>;
}

export type Head = Omit<Commit, "tree">;

/** A commit, and whether it is about the paths. */
export interface Checkout extends Head {
  /** Whether the commit has anything at the paths. */
  readonly found: boolean;
}

export interface Changes extends Checkout {
  /** Changed and untracked files, without ignored ones, relative to the root of the checkout. */
  readonly changed: readonly string[];
}

export interface Exported extends Checkout {
  /** The folder with the commit's files at the paths, as they are in the given folder. */
  readonly directory: string;
  /** How the given folder differs from it. */
  readonly differences: readonly Difference[];
}

/** The folder itself, or the nearest one around it, that has a .git; a real path. The folder need not exist. */
export async function checkoutRoot(folder: string): Promise<string | undefined> {
  for (let at = await realpath(folder).catch(() => folder); ; at = dirname(at)) {
    if (await pathExists(join(at, ".git"))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/**
 * The commit of a checkout, and the files that are not committed. As with git status, files do not count that are ignored,
 * left out by a sparse checkout, or only have another mode where the repository says that modes mean nothing.
 * @throws TgoError SOURCE if git cannot or must not read it
 */
export async function readChanges(options: CheckoutOptions): Promise<Changes> {
  return withCommit(options, "HEAD", async (checkedOut) => {
    const { repository, commit, prefix } = checkedOut;
    const { differences, found } = await compare(checkedOut, options);
    const counted = await withoutTolerated(repository, prefix, differences);
    return { ...named(commit), found, changed: counted.map(({ path }) => join(prefix, path)) };
  });
}

/**
 * Writes a commit's files to a temporary folder, with modes and times that depend on nothing else, and compares them with
 * the folder.
 * @param revision of the checkout; by default what is checked out
 * @throws TgoError SOURCE if git cannot or must not read it
 */
export async function exportCommit(options: CheckoutOptions, revision = "HEAD"): Promise<Exported> {
  return withCommit(options, revision, async (checkedOut) => {
    const directory = await realpath(await options.folders.make());
    const { differences, found } = await compare(checkedOut, options, directory);
    return { ...named(checkedOut.commit), found, directory, differences };
  });
}

/**
 * The commit that is checked out in a folder or around it, whatever else is there.
 * @throws TgoError SOURCE if git cannot or must not read it
 */
export async function readHead(options: GitRun & { readonly folder: string }): Promise<Head> {
  return withCommit(options, "HEAD", ({ commit }) => Promise.resolve(named(commit)));
}

/** Whether the checkout that a folder is in has a commit; false as well if git cannot or must not read it. */
export async function hasCommit(
  options: GitRun & { readonly folder: string },
  revision: string,
): Promise<boolean> {
  return withCommit(options, revision, () => Promise.resolve(true)).catch((error: unknown) => {
    if (isTgoError(error) && error.code === "SOURCE") return false;
    throw error;
  });
}

/** A commit of a repository, and the folder that it is compared with. */
interface CheckedOut {
  readonly repository: Repository;
  readonly reader: ObjectReader;
  readonly commit: Commit;
  /** Real path. */
  readonly folder: string;
  /** Path of the folder in the repository; "" is its root. */
  readonly prefix: string;
}

async function withCommit<T>(
  options: GitRun & { readonly folder: string },
  revision: string,
  use: (checkedOut: CheckedOut) => Promise<T>,
): Promise<T> {
  const folder = await realpath(options.folder);
  const root = await checkoutRoot(folder);
  if (root === undefined)
    throw new TgoError("SOURCE", "this is not a git checkout: neither it nor a parent folder has a .git", {
      where: folder,
      remedy: "Pass a source that is a git checkout.",
    });
  const repository = await openRepository(root, options);
  const id = await commitId(repository, revision);
  const reader = new ObjectReader(repository);
  try {
    const commit = await readCommit(reader, id);
    if (commit === undefined)
      throw new TgoError(
        "SOURCE",
        `${revision === "HEAD" ? "its" : "the"} commit ${id} is missing or damaged`,
        {
          where: root,
          remedy: "Fetch it, or clone the repository again.",
        },
      );
    return await use({ repository, reader, commit, folder, prefix: relative(root, folder) });
  } finally {
    reader.close();
  }
}

/** A name that git takes as nothing but a branch, a tag or an id. */
const REVISION = /^\w[\w.+/-]*$/;

async function commitId(repository: Repository, revision: string): Promise<string> {
  const { root } = repository;
  const isPlain = REVISION.test(revision) && !revision.includes("..");
  const id = isPlain ? await resolveReference(repository, revision) : undefined;
  if (id !== undefined) return id;
  if (revision === "HEAD")
    throw new TgoError("SOURCE", "it does not have any commits yet", {
      where: root,
      remedy: "Commit the source.",
    });
  throw new TgoError("SOURCE", `the checkout has no commit ${revision}`, {
    where: root,
    remedy:
      "A release of a checkout builds one of its commits. Pass one of them, or leave out --revision to build the one " +
      "that is checked out; git fetch gets commits that are missing.",
  });
}

async function compare(
  { repository, reader, commit, folder, prefix }: CheckedOut,
  { paths, skip }: CheckoutOptions,
  exportTo?: string,
): Promise<Comparison> {
  const tree = await treeAt({ repository, reader }, commit.tree, prefix);
  if (tree === undefined) return { differences: [], found: false };
  const time = commit.created === undefined ? 315_532_800 : Date.parse(commit.created) / 1000;
  return compareTree(repository, reader, tree, {
    folder,
    paths,
    skip,
    time,
    ...(exportTo === undefined ? {} : { exportTo }),
  });
}

/** The tree of a folder in another one. */
async function treeAt(
  from: Pick<CheckedOut, "repository" | "reader">,
  tree: string,
  path: string,
): Promise<string | undefined> {
  if (path === "") return tree;
  const [first = "", ...rest] = path.split("/");
  const entries = await readTree(from.reader, tree, from.repository.format);
  const entry = entries.find(({ name, kind }) => name === first && kind === "directory");
  return entry === undefined ? undefined : treeAt(from, entry.id, rest.join("/"));
}

function named({ revision, created }: Commit): Head {
  return { revision, ...(created === undefined ? {} : { created }) };
}

/** Leaves out what `git status` does not show. */
async function withoutTolerated(
  repository: Repository,
  prefix: string,
  differences: readonly Difference[],
): Promise<Difference[]> {
  const pathsOf = (kind: Difference["kind"]): string[] =>
    differences.filter((each) => each.kind === kind).map(({ path }) => join(prefix, path));
  const [ignored, absent, modesCount] = await Promise.all([
    ignoredPaths(repository, pathsOf("untracked")),
    pathsOf("missing").length === 0 ? new Set<string>() : pathsOutsideOfSparseCheckout(repository),
    pathsOf("mode").length === 0 ? true : modesMatter(repository),
  ]);
  return differences.filter(({ path, kind }) => {
    const full = join(prefix, path);
    switch (kind) {
      case "untracked":
        return !ignored.has(full);
      case "missing":
        return !absent.has(full);
      case "mode":
        return modesCount;
      case "lfs-pointer":
      case "submodule-missing":
        return false;
      default:
        return true;
    }
  });
}

/** Those of the untracked paths that git ignores: by the folder's .gitignore files, the .git, or the caller's own list. */
async function ignoredPaths(repository: Repository, paths: readonly string[]): Promise<Set<string>> {
  if (paths.length === 0) return new Set();
  const { root, shadow, exclude, run } = repository;
  const list = (await callersSetting("core.excludesFile", shadow, run)).at(-1);
  const patterns = await readInputFile(exclude, { maxBytes: 1 << 20 }).then(
    ({ bytes }) => bytes,
    () => "",
  );
  await mkdir(join(shadow, "info"), { recursive: true });
  await writeFile(join(shadow, "info/exclude"), patterns);
  const settings: [string, string][] = list === undefined ? [] : [["core.excludesFile", list]];
  // A path that begins with a colon would be a pattern.
  const input = paths.map((path) => `./${path}\0`).join("");
  try {
    const text = await runGit(["--work-tree", root, "check-ignore", "--no-index", "-z", "--stdin"], {
      folder: root,
      env: shadowEnvironment(repository),
      settings: [...settings, ["core.bare", "false"]],
      input,
      run,
    });
    return new Set(text.split("\0").map((path) => path.slice(2)));
  } catch (error) {
    // Exit code 1: none is ignored.
    if (error instanceof GitFailed && error.exitCode === 1) return new Set();
    throw error;
  }
}

async function pathsOutsideOfSparseCheckout(repository: Repository): Promise<Set<string>> {
  try {
    const text = await runGit(["ls-files", "-t", "-z"], {
      folder: repository.shadow,
      env: { ...shadowEnvironment(repository), GIT_INDEX_FILE: repository.index },
      run: repository.run,
    });
    const skipped = text.split("\0").filter((line) => line.startsWith("S "));
    return new Set(skipped.map((line) => line.slice(2)));
  } catch (error) {
    if (error instanceof GitFailed) return new Set();
    throw error;
  }
}

/** Whether executable bits mean something on the checkout's file system, as git found when it made the checkout. */
async function modesMatter({ root, settings, run }: Repository): Promise<boolean> {
  try {
    const options = { folder: root, settings, run };
    const text = await runGit(["config", "--type=bool", "--get", "core.fileMode"], options);
    return text.trim() !== "false";
  } catch (error) {
    if (error instanceof GitFailed) return true;
    throw error;
  }
}
