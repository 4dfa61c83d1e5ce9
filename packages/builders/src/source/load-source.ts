import type { Directory, GitRef } from "@dagger.io/dagger";
import type { Build, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { BuildContext, Uncommitted } from "../build-context.js";
import { errorMessage } from "../exec-failure.js";
import { hashDirectory, readCommitTime } from "../container-tools/container-tools.js";

/** A service's source, what it is called, and when it is from. */
export interface Source {
  /** What the build sees: without what .dockerignore leaves out. */
  readonly directory: Directory;
  /** Paths in it that steer the build and are left out of what it copies: a Dockerfile that .dockerignore names. */
  readonly hidden: readonly string[];
  /** The entries at its top. */
  readonly entries: readonly string[];
  /** Content hash, 64 hex digits. */
  readonly hash: string;
  /** A commit, or `dev-<12 hex of the content hash>`. */
  readonly revision: string;
  /** Time of the image: the commit's; without one 1980-01-01, which says "not known" to people. */
  readonly created: Date;
  /**
   * Time of the files: the commit's, else one derived from the content. Servers make cache keys (ETag) of file times,
   * so different contents must not share one.
   */
  readonly modified: Date;
  /** What keeps a commit from being exactly this, where that is known. */
  readonly uncommitted?: Uncommitted | undefined;
}

export interface SourceOptions {
  readonly source?: Directory | undefined;
  readonly revision?: string | undefined;
  /** RFC 3339, or seconds since 1970. */
  readonly created?: string | undefined;
}

/** Never part of an image, whatever .dockerignore says. */
const ALWAYS_IGNORED = [".git", "**/node_modules", "**/.venv", "**/__pycache__", "**/.DS_Store"];

/** Files, as paths in the source, of which a strategy needs at least one to have anything to build from. */
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

/** Whether one of the markers is among a directory's entries, as far as entries tell. */
function isMarked(build: Build, entries: readonly string[]): boolean {
  return markersOf(build).some((marker) => entries.includes(marker.split("/")[0] ?? ""));
}

/**
 * Finds and reads a service's source: `repos/<service>` in the given directory, the directory itself, or
 * `<service>` in it; without one, `repos/<service>` of the repository around, else the catalog's git repository.
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
  const { directory, hidden } = await buildContext(service.build, raw.directory);
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
    // What the host says is of its own files, not of a git repository that was read instead.
    uncommitted: found === undefined ? undefined : (found.uncommitted ?? context.host.uncommitted),
  };
}

interface Found {
  readonly directory: Directory;
  readonly revision?: string | undefined;
  readonly created?: Date | undefined;
  readonly uncommitted?: Uncommitted | undefined;
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
  const entries = (await given.entries()).map(bare);
  const state = async (below: string): Promise<Partial<Found>> =>
    options.revision === undefined && entries.includes(".git") ? gitState(context, given, below) : {};
  if (await isDirectory(given, path)) return { directory: given.directory(path), ...(await state(path)) };
  if (isMarked(service.build, entries) || !entries.includes(name)) {
    return { directory: given, ...(await state("")) };
  }
  return { directory: given.directory(name), ...(await state(name)) };
}

/**
 * The commit of a directory that came with its .git, when nothing below the path differs from it. The `tgo` command
 * has asked git on its machine already.
 */
async function gitState(context: BuildContext, directory: Directory, below: string): Promise<Partial<Found>> {
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
    const within = (changedPath: string): boolean =>
      below === "" || `${changedPath}/`.startsWith(`${below}/`);
    const files = changed.flat().filter(within);
    if (files.length > 0) return { uncommitted: { changed: files } };
    return { revision, created: await createdOf(context, repository.head(), revision) };
  } catch (cause) {
    // A worktree's .git is a file that leads elsewhere; a repository may have no commit yet.
    context.progress.note({ step: "prepare" }, `the source's .git cannot be read: ${errorMessage(cause)}`);
    return { uncommitted: { why: "its .git cannot be read" } };
  }
}

/** @returns undefined when the commit's time cannot be told */
async function createdOf(context: BuildContext, ref: GitRef, revision: string): Promise<Date | undefined> {
  return readCommitTime(context, ref.tree().directory(".git"), revision).catch(() => undefined);
}

async function isDirectory(directory: Directory, path: string): Promise<boolean> {
  const [first = "", ...rest] = path.split("/");
  const entry = (await directory.entries()).find((candidate) => bare(candidate) === first);
  if (entry === undefined) return false;
  return rest.length === 0 || isDirectory(directory.directory(first), rest.join("/"));
}

async function fromGit(context: BuildContext, name: string, service: Service): Promise<Found> {
  const { repository, path = `repos/${name}` } = service.source;
  try {
    const head = context.client.git(repository).head();
    const revision = await head.commit();
    const directory = await head.tree().directory(path).sync();
    const created = await createdOf(context, head, revision);
    context.progress.note(
      { step: "prepare", service: name },
      `source: ${repository} (${path}) at ${revision}`,
    );
    return { directory, revision, created };
  } catch (cause) {
    throw new TgoError(
      "SOURCE",
      `no source for ${name}: none was given, and ${repository} (${path}) cannot be read`,
      {
        remedy: `Run it in a checkout that has ${path}, or pass --source DIR.`,
        cause,
      },
    );
  }
}

/** The source without what its ignore file names; a Dockerfile stays, as it does for Docker. */
async function buildContext(
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
  const present = new Set(entries.map(bare));
  if (present.size === 0) {
    throw new TgoError("SOURCE", `the source of ${name} is empty`, {
      remedy: "Pass --source DIR with the service's own folder; check its .dockerignore.",
    });
  }
  if (isMarked(build, [...present])) return;
  throw new TgoError("SOURCE", `the source of ${name} has no ${markersOf(build)[0] ?? ""}`, {
    where: `strategy ${build.strategy}`,
    remedy: `Pass --source DIR with the service's own folder, or one that has ${name} or repos/${name} in it. Found there: ${[...present].slice(0, 12).join(", ")}.`,
  });
}

/** Dagger marks directories with a trailing slash. */
export function bare(entry: string): string {
  return entry.replace(/\/$/, "");
}

/** The earliest time a zip archive can hold, as reproducible builds have it. */
export const UNKNOWN_TIME = new Date(Date.UTC(1980, 0, 1));

/** A moment between 1980 and 2012 that only the content decides. */
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

/** Whole seconds since 1970, as the engine's withTimestamps takes them. */
export function epochSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
