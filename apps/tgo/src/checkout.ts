import type { Client, Directory } from "@dagger.io/dagger";
import { isTgoError, TgoError } from "@tgo/errors";
import type { HostOptions } from "@tgo/functions";
import { checkoutRoot, exportCommit, type Exported, type GitRun, hasCommit, readChanges } from "@tgo/git";
import { pathExists } from "@tgo/host";
import { basename, join } from "node:path";
import { namesDifferences } from "./differences.js";
import type { Argument } from "./module-api.js";

/** Never part of a source, and often large. */
const EXCLUDED = [".git", "**/node_modules", "**/.venv"];

/** Names of files and folders that no build sees, at any depth; builders ignore them too. */
const UNSEEN = new Set([".git", "node_modules", ".venv", "__pycache__", ".DS_Store"]);

/** What keeps a source from being exactly a commit. */
export type Uncommitted = NonNullable<HostOptions["uncommitted"]>;

/** The source found in or around the current folder. */
export interface Checkout {
  /** A service's own folder, or the repository with the services' folders in it. */
  readonly kind: "service" | "repository";
  readonly directory: (client: Client) => Directory;
  readonly git: GitState;
}

/** A folder's git state. */
export interface GitState {
  /** The commit that is checked out, if known. */
  readonly commit?: Commit;
  /** Absent when the files on disk are exactly the commit's. */
  readonly uncommitted?: Uncommitted;
  /** The commit's own files, which a release builds instead of the folder's. */
  readonly release?: CommittedFiles;
}

export interface Commit {
  /** 40 or 64 hex digits. */
  readonly revision: string;
  /** The committer's time, RFC 3339. */
  readonly created?: string;
}

export interface CommittedFiles {
  readonly folder: string;
  /** Names how the checkout differs from them. */
  readonly differences: NonNullable<HostOptions["differences"]>;
}

/** How git is read. */
export interface GitReading extends GitRun {
  /** Set for a release. */
  readonly release?: {
    /** The commit to release, if the caller named one; else the one that is checked out. */
    readonly revision?: string;
  };
}

export interface CheckoutOptions {
  readonly cwd: string;
  /** The repository, if the caller named one. */
  readonly root: string | undefined;
  /** Names of the requested services. */
  readonly services: readonly string[];
  readonly git: GitReading;
}

/**
 * The current folder itself if it is named like one of the services; else the argument's default path in the repository
 * around it.
 */
export async function findCheckout(
  { contextual, flag }: Argument,
  { cwd, root: given, services, git: reading }: CheckoutOptions,
): Promise<Checkout> {
  if (given === undefined && services.includes(basename(cwd))) {
    const git = await gitState(cwd, [""], reading);
    const path = git.release?.folder ?? cwd;
    return {
      kind: "service",
      directory: (client) => client.host().directory(path, { exclude: EXCLUDED }),
      git,
    };
  }
  if (given !== undefined && !(await pathExists(given))) {
    throw new TgoError("USAGE", `no such folder (--${flag})`, {
      where: given,
      remedy: "Check the path.",
    });
  }
  const root = given ?? (await checkoutRoot(cwd)) ?? cwd;
  // The last matching pattern decides: "!repos/**" must not bring back what is excluded.
  const exclude = [...(contextual?.ignore ?? []), ...EXCLUDED];
  const every = services.length === 0 || services.includes("all");
  const paths = every ? ["repos"] : await Promise.all(services.map((name) => folderOf(root, name)));
  const git = await gitState(root, paths, reading);
  const path = join(git.release?.folder ?? root, contextual?.defaultPath ?? ".");
  return { kind: "repository", directory: (client) => client.host().directory(path, { exclude }), git };
}

/** A service's folder; a service whose folder has another name (source.path) may be in any of them. */
async function folderOf(root: string, service: string): Promise<string> {
  const own = `repos/${service}`;
  return (await pathExists(join(root, own))) ? own : "repos";
}

/**
 * The git state of the folder given as the source.
 * @param given the folder as the caller wrote it
 */
export async function gitStateOfSource(
  folder: string,
  given: string,
  reading: GitReading,
): Promise<GitState> {
  if (await pathExists(join(folder, ".git"))) return gitState(folder, [""], reading);
  const around = (await pathExists(folder)) ? await checkoutRoot(folder) : undefined;
  // What is said about its commit can be checked.
  const checked = around === undefined ? undefined : await commitAround(folder, reading);
  if (checked !== undefined) return checked;
  // A folder inside another repository has no git state of its own.
  return unknown(
    around === undefined
      ? `${given} is not a git checkout: it has no .git`
      : `${given} has no .git of its own, and the commit of the checkout around it is not used`,
  );
}

/** The files of a release in a folder of another repository, if `--revision` names a commit of that repository. */
async function commitAround(folder: string, { release, ...run }: GitReading): Promise<GitState | undefined> {
  if (release?.revision === undefined) return undefined;
  const options = { ...run, folder, paths: [""], skip: UNSEEN };
  if (!(await hasCommit(options, release.revision))) return undefined;
  const { found, ...exported } = await exportCommit(options, release.revision);
  return found ? released(exported) : undefined;
}

function released({ revision, created, directory, differences }: Omit<Exported, "found">): GitState {
  return {
    commit: { revision, ...(created === undefined ? {} : { created }) },
    release: { folder: directory, differences: namesDifferences(differences) },
  };
}

/** A folder's commit, and what below the given paths differs from it. */
async function gitState(folder: string, paths: readonly string[], reading: GitReading): Promise<GitState> {
  const { release, ...run } = reading;
  const missing = await firstMissing(paths.map((path) => join(folder, path)));
  if (missing !== undefined && release === undefined) return unknown(`no such folder: ${missing}`);
  if ((await checkoutRoot(folder)) === undefined) {
    return unknown(`${folder} is not a git checkout: neither it nor a parent folder has a .git`);
  }
  const options = { ...run, folder, paths, skip: UNSEEN };
  const uncommitted = `no file of ${paths.map((path) => join(folder, path)).join(", ")} is committed`;
  if (release !== undefined) {
    const { found, ...exported } = await exportCommit(options, release.revision);
    if (found) return released(exported);
    if (missing !== undefined) return unknown(`no such folder: ${missing}`);
    throw new TgoError("SOURCE", uncommitted, { remedy: "Commit the source, or pass another one." });
  }
  try {
    const { found, changed, ...commit } = await readChanges(options);
    if (!found) return unknown(uncommitted);
    return { commit, ...(changed.length === 0 ? {} : { uncommitted: { changed } }) };
  } catch (error) {
    if (!isTgoError(error) || error.code === "INTERRUPTED") throw error;
    const { what, where, remedy } = error;
    const [hint = ""] = (remedy ?? "").split("\n");
    return unknown(
      `git cannot read the commit of ${where ?? folder}: ${what}${hint === "" ? "" : ` (${hint.replace(/\.$/, "")})`}`,
    );
  }
}

function unknown(why: string): GitState {
  return { uncommitted: { why } };
}

async function firstMissing(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if (!(await pathExists(path))) return path;
  return undefined;
}
