import type { Directory } from "@dagger.io/dagger";
import type { Build, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { BuildContext, Uncommitted } from "../build-context.js";
import { copySource } from "../container-tools/container-tools.js";
import { entryName } from "./entry-name.js";
import { findSource, sourceFromGit, type SourceOptions } from "./find-source.js";
import { applyIgnoreFile } from "./ignore-file.js";
import { isMarked, markersOf } from "./markers.js";
import { parseCreated, sourceTimes } from "./times.js";

/** A service's source, with its revision and time. */
export interface Source {
  /** The build context, without files that .dockerignore excludes; modes, owners and times are the same for every checkout. */
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

/**
 * Finds and reads a service's source: in the given directory `repos/<service>`, the directory itself or `<service>`;
 * without a given directory, `repos/<service>` of the surrounding repository, or the catalog's git repository: there the
 * given revision, the version's tag or the default branch.
 * @throws TgoError SOURCE, USAGE
 */
export async function loadSource(
  context: BuildContext,
  name: string,
  service: Service,
  options: SourceOptions,
): Promise<Source> {
  const found = await findSource(context, name, service, options);
  const raw = found ?? (await sourceFromGit(context, name, service, options));
  // A source from git is the revision that was asked for, in full.
  const revision = found === undefined ? raw.revision : (options.revision ?? raw.revision);
  const { directory, hidden, ...view } = await applyIgnoreFile(service.build, raw.directory);
  const { differences, uncommitted } = context.host;
  const [entries, tree, differs] = await Promise.all([
    directory.entries(),
    copySource(context, directory),
    found && differences?.({ folder: found.folder, ...view }),
  ]);
  // A file may be missing because of them.
  if (differs === undefined) checkEntries(name, service.build, entries);
  const given = options.created === undefined ? raw.created : parseCreated(options.created);
  return {
    directory: tree.directory,
    hidden,
    entries,
    hash: tree.hash,
    revision: revision ?? `dev-${tree.hash.slice(0, 12)}`,
    ...sourceTimes(given, tree.hash),
    // The host's result is about its own files, not about a git repository that was read instead.
    uncommitted: found && (differs ?? found.uncommitted ?? uncommitted),
  };
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
