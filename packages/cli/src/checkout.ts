import type { Client, Directory } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Argument } from "./surface.js";

const run = promisify(execFile);

/** Never part of a source, and often large. */
const NEVER = [".git", "**/node_modules", "**/.venv"];

/** The source that a function finds around the current folder. */
export interface Checkout {
  /** A service's own folder, or the repository that has the services' folders in it. */
  readonly kind: "service" | "repository";
  readonly directory: (client: Client) => Directory;
  /** What git says of it. */
  readonly git: GitState | undefined;
}

/** A commit whose files are exactly the ones on disk. */
export interface GitState {
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
 * The commit of a folder, when nothing below the given paths differs from it. No git, no commit, changed or
 * untracked files: undefined, and the source's content names the revision.
 */
export async function gitState(folder: string, paths: readonly string[]): Promise<GitState | undefined> {
  const git = async (...args: string[]): Promise<string> => {
    const { stdout } = await run("git", ["-C", folder, ...args], { maxBuffer: 16 << 20 });
    return stdout.trim();
  };
  try {
    for (const path of paths) if (!(await exists(join(folder, path)))) return undefined;
    if ((await git("status", "--porcelain", "--", ...paths)) !== "") return undefined;
    if ((await git("ls-files", "--", ...paths)) === "") return undefined;
    const [revision = "", created = ""] = (await git("log", "-1", "--format=%H %cI")).split(" ");
    return { revision, created };
  } catch {
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
