import type { Directory, GitRef } from "@dagger.io/dagger";
import type { Build, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { BuildContext, Uncommitted } from "../build-context.js";
import { errorMessage } from "../exec-failure.js";
import { hashDirectory, readCommitTime } from "../container-tools/container-tools.js";

/** A service's source, with its revision and time. */
export interface Source {
  /** The build context, without files that .dockerignore excludes. */
  readonly directory: Directory;
  /** Paths in it that the build reads but must not copy: a Dockerfile that .dockerignore excludes. */
  readonly hidden: readonly string[];
  /** The entries of its top directory. */
  readonly entries: readonly string[];
  /** Content hash, 64 hex digits. */
  readonly hash: string;
  /** A commit, or `dev-<12 hex of the content hash>`. */
  readonly revision: string;
  /** Time of the image: that of the commit, or 1980-01-01, which readers recognize as unknown. */
  readonly created: Date;
  /**
   * Time of the files: that of the commit, or one derived from the content. Web servers derive ETags from file times, so
   * different contents must not share a time.
   */
  readonly modified: Date;
  /** Why it does not equal a commit, if that is known. */
  readonly uncommitted: Uncommitted | undefined;
}

export interface SourceOptions {
  readonly source?: Directory;
  readonly revision?: string;
  /** The source's time, in RFC 3339 or as seconds since 1970. */
  readonly created?: string;
}

/** Never part of an image, whatever .dockerignore contains. */
const ALWAYS_IGNORED = [".git", "**/node_modules", "**/.venv", "**/__pycache__", "**/.DS_Store"];

/** Paths in the source of which a strategy requires at least one. */
function markersOf(build: Build): readonly string[] {
  switch (build.strategy) {
    case "python":
      return ["pyproject.toml", build.lock ?? "requirements.txt"];
    case "static-web":
      return ["package.json"];
    case "dockerfile":
      return [build.file];
  }
}

/** Whether a directory has one of the markers, judging by its entries alone. */
function isMarked(build: Build, entries: readonly string[]): boolean {
  return markersOf(build).some((marker) => entries.includes(marker.split("/")[0] ?? ""));
}

/**
 * Finds and reads a service's source: in the given directory `repos/<service>`, the directory itself or `<service>`;
 * without a given directory, `repos/<service>` of the surrounding repository, or the catalog's git repository.
 * @throws TgoError SOURCE, USAGE
 */
export async function loadSource(
  context: BuildContext,
  name: string,
  service: Service,
  options: SourceOptions,
): Promise<Source> {
  const found = await findSource(context, name, service, options);
  const raw = found ?? (await fromGit(context, name, service));
  const revision = options.revision ?? raw.revision;
  const { directory, hidden } = await applyIgnoreFile(service.build, raw.directory);
  const [entries, tree] = await Promise.all([directory.entries(), hashDirectory(context, directory)]);
  checkEntries(name, service.build, entries);
  const created = options.created === undefined ? raw.created : parseCreated(options.created);
  return {
    directory,
    hidden,
    entries,
    hash: tree.hash,
    revision: revision ?? `dev-${tree.hash.slice(0, 12)}`,
    created: created ?? UNKNOWN_TIME,
    modified: created ?? contentDate(tree.hash),
    // The host's result is about its own files, not about a git repository that was read instead.
    uncommitted: found === undefined ? undefined : (found.uncommitted ?? context.host.uncommitted),
  };
}

interface Found {
  readonly directory: Directory;
  readonly revision?: string;
  readonly created?: Date;
  readonly uncommitted?: Uncommitted;
}

async function findSource(
  context: BuildContext,
  name: string,
  service: Service,
  options: SourceOptions,
): Promise<Found | undefined> {
  const { source: given } = options;
  const { repos } = context;
  const path = service.source.path ?? `repos/${name}`;
  if (given === undefined) {
    return repos !== undefined && (await isDirectory(repos, path))
      ? { directory: repos.directory(path) }
      : undefined;
  }
  const entries = (await given.entries()).map(entryName);
  const state = async (folder: string): Promise<Partial<Found>> =>
    options.revision === undefined && entries.includes(".git") ? gitState(context, given, folder) : {};
  if (await isDirectory(given, path)) return { directory: given.directory(path), ...(await state(path)) };
  if (isMarked(service.build, entries) || !entries.includes(name)) {
    return { directory: given, ...(await state("")) };
  }
  return { directory: given.directory(name), ...(await state(name)) };
}

/**
 * The commit of a directory with a .git, if nothing in the folder differs from it. Skipped on the caller's machine, where
 * the `tgo` command has already queried git.
 */
async function gitState(
  context: BuildContext,
  directory: Directory,
  folder: string,
): Promise<Partial<Found>> {
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

async function fromGit(context: BuildContext, name: string, service: Service): Promise<Found> {
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
    return { directory, revision, ...time };
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

/** Removes the files that the ignore file excludes. A Dockerfile is always kept, as Docker does. */
async function applyIgnoreFile(
  build: Build,
  directory: Directory,
): Promise<{ directory: Directory; hidden: string[] }> {
  const { file } = build.strategy === "dockerfile" ? build : { file: undefined };
  const own = file === undefined ? [] : await ignorePatterns(directory, `${file}.dockerignore`);
  const patterns = own.length === 0 ? await ignorePatterns(directory, ".dockerignore") : own;
  const filtered = directory.filter({ exclude: [...patterns, ...ALWAYS_IGNORED] });
  if (file === undefined || !(await directory.exists(file)) || (await filtered.exists(file))) {
    return { directory: filtered, hidden: [] };
  }
  return { directory: filtered.withFile(file, directory.file(file)), hidden: [file] };
}

/** @see https://docs.docker.com/build/concepts/context/#dockerignore-files */
async function ignorePatterns(directory: Directory, file: string): Promise<string[]> {
  if (!(await directory.exists(file))) return [];
  return (await directory.file(file).contents())
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.replace(/^(!?)\.?\//, "$1"));
}

function checkEntries(name: string, build: Build, entries: readonly string[]): void {
  const present = new Set(entries.map(entryName));
  if (present.size === 0) {
    throw new TgoError("SOURCE", `the source of ${name} is empty`, {
      remedy: "Pass --source DIR with the service's own folder, and check its .dockerignore.",
    });
  }
  if (isMarked(build, [...present])) return;
  throw new TgoError("SOURCE", `the source of ${name} has no ${markersOf(build)[0] ?? ""}`, {
    where: `strategy ${build.strategy}`,
    remedy: `Pass --source DIR with the service's own folder, or one that contains ${name} or repos/${name}. Found: ${[...present].slice(0, 12).join(", ")}.`,
  });
}

/** An entry's name without the trailing slash that Dagger adds to directories. */
export function entryName(entry: string): string {
  return entry.replace(/\/$/, "");
}

/** Stands for an unknown time. It is the earliest that a zip archive can hold, as is usual for reproducible builds. */
export const UNKNOWN_TIME = new Date(Date.UTC(1980, 0, 1));

/** A time between 1980 and 2011, derived from the content alone. */
function contentDate(hash: string): Date {
  const start = Date.UTC(1980, 0, 1) / 1000;
  return new Date((start + (Number.parseInt(hash.slice(0, 8), 16) % 1_000_000_000)) * 1000);
}

function parseCreated(text: string): Date {
  const date = new Date(/^\d+$/.test(text) ? Number(text) * 1000 : text);
  if (!Number.isNaN(date.getTime())) return date;
  throw new TgoError("USAGE", `--created "${text}" is not a time`, {
    remedy: "Use RFC 3339 or seconds since 1970, e.g. $(git log -1 --format=%cI).",
  });
}

/** Whole seconds since 1970. */
export function epochSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
