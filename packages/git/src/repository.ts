import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { shellQuote, TgoError } from "@tgo/errors";
import type { GitRun } from "./git-run.js";
import { callersSetting, GitFailed, runGit } from "./run-git.js";

/** The hash that names the objects of a repository. */
export type ObjectFormat = "sha1" | "sha256";

/** Where a repository keeps its parts. */
export interface Repository {
  /** The folder with the .git. */
  readonly root: string;
  readonly format: ObjectFormat;
  /** Folder of the objects: that of the main checkout, in a worktree. */
  readonly objects: string;
  readonly index: string;
  /** File of ignore patterns in the .git. */
  readonly exclude: string;
  /** What git must be told to read a repository of another owner. */
  readonly settings: readonly (readonly [string, string])[];
  /**
   * An empty repository of our own for everything beyond reading references: the objects are read through it, and the
   * repository's configuration, attributes, grafts and replacements do not apply.
   */
  readonly shadow: string;
  readonly run: GitRun;
}

const PARTS = ["objects", "index", "info/exclude"];

/**
 * Finds the parts of the repository of a folder.
 * @param root real path of a folder with a .git
 * @throws TgoError SOURCE if git cannot or must not read it
 */
export async function openRepository(root: string, run: GitRun): Promise<Repository> {
  const shadow = await run.folders.make();
  const find = async (settings: Repository["settings"]): Promise<Repository> => {
    const args = [
      "--show-object-format",
      "--path-format=absolute",
      ...PARTS.flatMap((part) => ["--git-path", part]),
    ];
    const text = await runGit(["rev-parse", ...args], { folder: root, settings, run });
    const [format, objects = "", index = "", exclude = "", ...more] = text.split("\n");
    if (more.join("") !== "" || (format !== "sha1" && format !== "sha256"))
      throw new TgoError("SOURCE", "the path of its .git is not supported", { where: root });
    await makeShadow(shadow, format);
    return { root, format, objects, index, exclude, settings, shadow, run };
  };
  try {
    return await find([]);
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    if (!isOwnedByAnother(error)) throw notReadable(root, error);
  }
  // Git respects this setting in the caller's own configuration only.
  await makeShadow(shadow, "sha1");
  const trusted = await callersSetting("safe.directory", shadow, run);
  try {
    return await find(trusted.map((folder) => ["safe.directory", folder]));
  } catch (error) {
    if (!(error instanceof GitFailed)) throw error;
    if (!isOwnedByAnother(error)) throw notReadable(root, error);
    throw new TgoError("SOURCE", "the git repository belongs to another user, and git does not read it", {
      where: root,
      remedy: `If you trust it: git config --global --add safe.directory ${shellQuote(root)}`,
      cause: error,
    });
  }
}

/** Environment of git calls that read the objects only. */
export function shadowEnvironment({ shadow, objects }: Repository): Record<string, string> {
  return { GIT_DIR: shadow, GIT_OBJECT_DIRECTORY: objects };
}

/**
 * The object that a reference of the repository names, without reading the object.
 * @returns undefined if there is no such reference
 */
export async function resolveReference(repository: Repository, name: string): Promise<string | undefined> {
  const { root, settings, run } = repository;
  try {
    const options = { folder: root, settings, run };
    return (await runGit(["rev-parse", "--verify", "--quiet", name], options)).trim();
  } catch (error) {
    if (error instanceof GitFailed) return undefined;
    throw error;
  }
}

/** "detected dubious ownership in repository at", or in older versions "unsafe repository". */
function isOwnedByAnother({ stderr }: GitFailed): boolean {
  return /dubious ownership|unsafe repository/.test(stderr);
}

function notReadable(root: string, error: GitFailed): TgoError {
  return new TgoError("SOURCE", `git cannot read the repository: ${error.reason}`, {
    where: root,
    remedy: "Check its .git: git status must work there.",
    cause: error,
  });
}

async function makeShadow(folder: string, format: ObjectFormat): Promise<void> {
  const config = [
    "[core]",
    `repositoryformatversion = ${format === "sha1" ? 0 : 1}`,
    "bare = true",
    ...(format === "sha1" ? [] : ["[extensions]", `objectformat = ${format}`]),
  ];
  await mkdir(join(folder, "refs"), { recursive: true });
  await mkdir(join(folder, "objects"), { recursive: true });
  await writeFile(join(folder, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(folder, "config"), `${config.join("\n")}\n`);
}
