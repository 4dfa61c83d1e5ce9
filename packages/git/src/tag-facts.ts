import { checkoutRoot } from "./checkout.js";
import type { GitRun } from "./git-run.js";
import { openRepository, type Repository } from "./repository.js";
import { GitFailed, runGit } from "./run-git.js";

export interface TagQuestion {
  /** The tag's name: "v1.2.3". */
  readonly tag: string;
  /** The commit that is released; what is checked out if absent. */
  readonly revision?: string;
  /** A branch of the remote origin; its default branch if absent. */
  readonly branch?: string;
}

/** What a checkout says of a release's tag and commit. */
export interface TagFacts {
  readonly tag: "annotated" | "lightweight" | "missing";
  /** Whether the tag names the commit; undefined without a tag. */
  readonly namesCommit: boolean | undefined;
  /** The branch that was looked at: "origin/main"; undefined if the checkout does not have it. */
  readonly branch: string | undefined;
  /** Whether the commit is on the branch; undefined if the checkout's history is too short to tell. */
  readonly isOnBranch: boolean | undefined;
}

/**
 * Reads a tag, and whether a commit is on a branch of the remote, as the checkout last fetched it.
 * @returns undefined without a checkout
 * @throws TgoError SOURCE if git cannot or must not read it
 */
export async function tagFacts(
  options: GitRun & { readonly folder: string },
  { tag, revision = "HEAD", branch }: TagQuestion,
): Promise<TagFacts | undefined> {
  const root = await checkoutRoot(options.folder);
  if (root === undefined) return undefined;
  const repository = await openRepository(root, options);
  const ask = (args: readonly string[]): Promise<string | undefined> => git(repository, args);
  const commitOf = (name: string): Promise<string | undefined> =>
    ask(["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`]);
  const reference = `refs/tags/${tag}`;
  const [type, tagged, commit] = [
    await ask(["for-each-ref", "--format=%(objecttype)", "--", reference]),
    await commitOf(reference),
    await commitOf(revision),
  ];
  const named = branch === undefined ? await defaultBranch(ask) : `refs/remotes/origin/${branch}`;
  const tip = named === undefined ? undefined : await commitOf(named);
  const isMissing = type === undefined || type === "";
  return {
    tag: isMissing ? "missing" : type === "tag" ? "annotated" : "lightweight",
    namesCommit: isMissing ? undefined : tagged !== undefined && tagged === commit,
    branch: tip === undefined ? undefined : named?.replace("refs/remotes/", ""),
    isOnBranch: tip === undefined || commit === undefined ? undefined : await isOn(ask, commit, tip),
  };
}

type Ask = (args: readonly string[]) => Promise<string | undefined>;

async function defaultBranch(ask: Ask): Promise<string | undefined> {
  const head = await ask(["symbolic-ref", "--quiet", "refs/remotes/origin/HEAD"]);
  if (head !== undefined) return head;
  for (const name of ["main", "master"]) {
    const reference = `refs/remotes/origin/${name}`;
    if ((await ask(["rev-parse", "--verify", "--quiet", reference])) !== undefined) return reference;
  }
  return undefined;
}

/** @returns undefined if it cannot be told: the history that a shallow clone lacks may have the commit */
async function isOn(ask: Ask, commit: string, tip: string): Promise<boolean | undefined> {
  if ((await ask(["merge-base", "--is-ancestor", commit, tip])) !== undefined) return true;
  return (await ask(["rev-parse", "--is-shallow-repository"])) === "true" ? undefined : false;
}

/** @returns undefined if git ends with an error */
async function git(
  { root, settings, run }: Repository,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const env = { GIT_NO_REPLACE_OBJECTS: "1" };
    return (await runGit(args, { folder: root, settings, run, env })).trim();
  } catch (error) {
    if (error instanceof GitFailed) return undefined;
    throw error;
  }
}
