import type { Client, Directory } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import type { Uncommitted } from "@tgo/builders";
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Argument } from "./module-api.js";

const run = promisify(execFile);

/** Never part of a source, and often large. */
const NEVER = [".git", "**/node_modules", "**/.venv"];

/** The source that a function finds around the current folder. */
export interface Checkout {
  /** A service's own folder, or the repository that has the services' folders in it. */
  readonly kind: "service" | "repository";
  readonly directory: (client: Client) => Directory;
  readonly git: GitState;
}

/** What git says of a folder. */
export interface GitState {
  /** The commit that is checked out; undefined when none is known. */
  readonly commit?: Commit | undefined;
  /** Undefined when the files on disk are exactly the commit's. */
  readonly uncommitted?: Uncommitted | undefined;
}

export interface Commit {
  /** 40 hex digits. */
  readonly revision: string;
  /** RFC 3339, the committer's time. */
  readonly created: string;
}

export interface CheckoutPlace {
  readonly cwd: string;
  /** The repository to take, when the caller named one. */
  readonly root: string | undefined;
  /** Names of the services asked for. */
  readonly services: readonly string[];
}

/**
 * The folder itself when it is named like one of the services; else what the argument's own default path
 * means for the repository around the current folder.
 */
export async function findCheckout(
  { contextual, flag }: Argument,
  { cwd, root: given, services }: CheckoutPlace,
): Promise<Checkout> {
  if (given === undefined && services.includes(basename(cwd))) {
    return {
      kind: "service",
      directory: (client) => client.host().directory(cwd, { exclude: NEVER }),
      git: await gitState(cwd, ["."]),
    };
  }
  if (given !== undefined && !(await exists(given))) {
    throw new TgoError("USAGE", `there is no such folder (--${flag})`, {
      where: given,
      remedy: "Check the path.",
    });
  }
  const root = given ?? (await repositoryRoot(cwd)) ?? cwd;
  const path = join(root, contextual?.defaultPath ?? ".");
  // The last pattern that matches decides: "!repos/**" must not bring back what is never wanted.
  const exclude = [...(contextual?.ignore ?? []), ...NEVER];
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

/** A service's folder; one whose folder has another name (source.path) may be in any. */
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
 * The commit of a folder that was named as the source.
 * @param given the folder as the caller wrote it
 */
export async function givenState(folder: string, given: string): Promise<GitState> {
  if (await exists(join(folder, ".git"))) return gitState(folder, ["."]);
  const around = await repositoryRoot(folder);
  // A folder inside some other repository is not that repository's state.
  return unknown(
    around === undefined
      ? `${given} is not a git checkout: it has no .git`
      : `${given} has no .git of its own, and the commit of the checkout around it is not taken for it`,
  );
}

/** The commit of a folder, and what differs from it below the given paths: changed and untracked files. */
async function gitState(folder: string, paths: readonly string[]): Promise<GitState> {
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await run("git", ["-C", folder, ...args], { maxBuffer: 16 << 20 });
    return stdout;
  };
  for (const path of paths) {
    if (!(await exists(join(folder, path)))) return unknown(`there is no ${join(folder, path)}`);
  }
  if ((await repositoryRoot(folder)) === undefined) {
    return unknown(`${folder} is not a git checkout: it has no .git, nor has a folder around it`);
  }
  try {
    const [revision = "", created = ""] = (await git("log", "-1", "--format=%H %cI")).trim().split(" ");
    if ((await git("ls-files", "--", ...paths)) === "") {
      return unknown(`no file of ${paths.map((path) => join(folder, path)).join(", ")} is committed`);
    }
    const status = await git("status", "--porcelain", "--no-renames", "-z", "--", ...paths);
    // "XY PATH" each: https://git-scm.com/docs/git-status#_porcelain_format_version_1
    const changed = status.split("\0").flatMap((entry) => (entry === "" ? [] : [entry.slice(3)]));
    return { commit: { revision, created }, uncommitted: changed.length === 0 ? undefined : { changed } };
  } catch (error) {
    return unknown(`git does not tell the commit of ${folder}: ${gitMessage(error)}`);
  }
}

function unknown(why: string): GitState {
  return { uncommitted: { why } };
}

/** The first line of what git printed: a folder of another owner, no commit yet, no git at all. */
function gitMessage(error: unknown): string {
  const { code, stderr } = error as { code?: unknown; stderr?: unknown };
  if (code === "ENOENT") return "there is no git on this machine";
  const [line = ""] = String(stderr ?? error).split("\n");
  return line.replace(/^fatal: /, "");
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
