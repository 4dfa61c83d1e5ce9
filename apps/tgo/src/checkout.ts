import type { Client, Directory } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import type { HostOptions } from "@tgo/functions";
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Argument } from "./module-api.js";

const run = promisify(execFile);

/** Never part of a source, and often large. */
const EXCLUDED = [".git", "**/node_modules", "**/.venv"];

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
}

export interface Commit {
  /** 40 hex digits. */
  readonly revision: string;
  /** The committer's time, RFC 3339. */
  readonly created: string;
}

export interface CheckoutOptions {
  readonly cwd: string;
  /** The repository, if the caller named one. */
  readonly root: string | undefined;
  /** Names of the requested services. */
  readonly services: readonly string[];
}

/**
 * The current folder itself if it is named like one of the services; else the argument's default path in the repository
 * around it.
 */
export async function findCheckout(
  { contextual, flag }: Argument,
  { cwd, root: given, services }: CheckoutOptions,
): Promise<Checkout> {
  if (given === undefined && services.includes(basename(cwd))) {
    return {
      kind: "service",
      directory: (client) => client.host().directory(cwd, { exclude: EXCLUDED }),
      git: await gitState(cwd, ["."]),
    };
  }
  if (given !== undefined && !(await exists(given))) {
    throw new TgoError("USAGE", `no such folder (--${flag})`, {
      where: given,
      remedy: "Check the path.",
    });
  }
  const root = given ?? (await repositoryRoot(cwd)) ?? cwd;
  const path = join(root, contextual?.defaultPath ?? ".");
  // The last matching pattern decides: "!repos/**" must not bring back what is excluded.
  const exclude = [...(contextual?.ignore ?? []), ...EXCLUDED];
  const every = services.length === 0 || services.includes("all");
  return {
    kind: "repository",
    directory: (client) => client.host().directory(path, { exclude }),
    git: await gitState(
      root,
      every ? ["repos"] : await Promise.all(services.map((name) => folderOf(root, name))),
    ),
  };
}

/** A service's folder; a service whose folder has another name (source.path) may be in any of them. */
async function folderOf(root: string, service: string): Promise<string> {
  const own = `repos/${service}`;
  return (await exists(join(root, own))) ? own : "repos";
}

async function repositoryRoot(from: string): Promise<string | undefined> {
  for (let at = from; ; at = dirname(at)) {
    if (await exists(join(at, ".git"))) return at;
    if (dirname(at) === at) return undefined;
  }
}

/**
 * The git state of the folder given as the source.
 * @param given the folder as the caller wrote it
 */
export async function gitStateOfSource(folder: string, given: string): Promise<GitState> {
  if (await exists(join(folder, ".git"))) return gitState(folder, ["."]);
  const around = await repositoryRoot(folder);
  // A folder inside another repository has no git state of its own.
  return unknown(
    around === undefined
      ? `${given} is not a git checkout: it has no .git`
      : `${given} has no .git of its own, and the commit of the checkout around it is not used`,
  );
}

/** A folder's commit, and the changed and untracked files below the given paths. */
async function gitState(folder: string, paths: readonly string[]): Promise<GitState> {
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await run("git", ["-C", folder, ...args], { maxBuffer: 16 << 20 });
    return stdout;
  };
  for (const path of paths) {
    if (!(await exists(join(folder, path)))) return unknown(`no such folder: ${join(folder, path)}`);
  }
  if ((await repositoryRoot(folder)) === undefined) {
    return unknown(`${folder} is not a git checkout: neither it nor a parent folder has a .git`);
  }
  try {
    const [revision = "", created = ""] = (await git("log", "-1", "--format=%H %cI")).trim().split(" ");
    if ((await git("ls-files", "--", ...paths)) === "") {
      return unknown(`no file of ${paths.map((path) => join(folder, path)).join(", ")} is committed`);
    }
    const status = await git("status", "--porcelain", "--no-renames", "-z", "--", ...paths);
    // "XY PATH" each: https://git-scm.com/docs/git-status#_porcelain_format_version_1
    const changed = status.split("\0").flatMap((entry) => (entry === "" ? [] : [entry.slice(3)]));
    return { commit: { revision, created }, ...(changed.length === 0 ? {} : { uncommitted: { changed } }) };
  } catch (error) {
    return unknown(`git cannot read the commit of ${folder}: ${gitMessage(error)}`);
  }
}

function unknown(why: string): GitState {
  return { uncommitted: { why } };
}

/** The first line of git's error: a folder of another owner, no commit yet, no git at all. */
function gitMessage(error: unknown): string {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown };
  if (code === "ENOENT") return "git is not installed";
  const [line = ""] = String(stderr ?? error).split("\n");
  return line.replace(/^fatal: /, "");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
