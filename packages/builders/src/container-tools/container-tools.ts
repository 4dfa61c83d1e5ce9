import type { Container, Directory } from "@dagger.io/dagger";
import { TgoError } from "@tgo/errors";
import type { ElfReport } from "@tgo/image";
import program from "tgo:tools";
import { baseImage, type BuildContext } from "../build-context.js";
import type { TreeReport } from "./hash-tree.js";
import type { InstallFilesInput } from "./install-files.js";
import type { InstalledPackage } from "./installed-packages.js";
import type { ProbeInput, ProbeReport } from "./probe.js";

/** What our own programs run in, natively; never part of an image. */
export const TOOLS_BASE = "docker.io/library/node:20-alpine";
const PROGRAM = "/run/tgo/tools.mjs";

/** A native container with Node and the tools program. */
export async function toolsContainer(context: BuildContext): Promise<Container> {
  return (await baseImage(context, TOOLS_BASE, context.native)).withNewFile(PROGRAM, program);
}

/** Hash, number and size of the files of a directory. */
export async function hashDirectory(context: BuildContext, directory: Directory): Promise<TreeReport> {
  const tools = await toolsContainer(context);
  return run<TreeReport>(tools.withMountedDirectory("/mnt/tree", directory), "inspect", {
    root: "/mnt/tree",
  });
}

/** The committer's time of a commit, read from a `.git` folder; undefined when it cannot be told. */
export async function readCommitTime(
  context: BuildContext,
  git: Directory,
  commit: string,
): Promise<Date | undefined> {
  const tools = await toolsContainer(context);
  const root = "/mnt/git";
  const mounted = tools.withMountedDirectory(root, git, { readOnly: true });
  const seconds = await run<number | null>(mounted, "commit-time", { git: root, commit });
  return seconds === null ? undefined : new Date(seconds * 1000);
}

/** The packages of a node_modules folder, read where it lies. */
export async function listPackages(context: BuildContext, modules: Directory): Promise<InstalledPackage[]> {
  const tools = await toolsContainer(context);
  const root = "/mnt/modules";
  return run(tools.withMountedDirectory(root, modules, { readOnly: true }), "packages", { root });
}

/** ELF machine of every file of a root file system. */
export async function scanRoot(
  context: BuildContext,
  root: Directory,
  platform: string,
  allow: readonly string[],
): Promise<ElfReport> {
  const tools = await toolsContainer(context);
  const mounted = tools.withMountedDirectory("/mnt/variant", root, { readOnly: true });
  return run<ElfReport>(mounted, "scan", { root: "/mnt/variant", platform, allow });
}

/**
 * A directory whose entries all have one time, and modes by their executable bit alone. The engine's own withTimestamps follows symbolic links, and fails on
 * those that point outside the directory.
 * @param seconds since 1970
 */
export async function withNormalizedMetadata(
  context: BuildContext,
  directory: Directory,
  seconds: number,
): Promise<Directory> {
  const tools = await toolsContainer(context);
  const root = "/mnt/tree";
  const input = JSON.stringify({ root, seconds });
  return tools.withDirectory(root, directory).withExec(["node", PROGRAM, "stamp", input]).directory(root);
}

/** A file system with directories, links and files of a service put into it: natively, whatever its platform. */
export async function withInstalledFiles(
  context: BuildContext,
  root: Directory,
  source: Directory,
  input: Omit<InstallFilesInput, "root" | "source">,
): Promise<Directory> {
  const tools = await toolsContainer(context);
  const places = { root: "/mnt/tree", source: "/mnt/source" };
  return tools
    .withMountedDirectory(places.root, root)
    .withMountedDirectory(places.source, source, { readOnly: true })
    .withExec(["node", PROGRAM, "lay", JSON.stringify({ ...places, ...input })])
    .directory(places.root);
}

/** Sends requests from a container that already has the service bound. */
export function probeFrom(container: Container, input: ProbeInput): Promise<ProbeReport> {
  return run<ProbeReport>(container, "probe", input);
}

async function run<T>(container: Container, command: string, input: unknown): Promise<T> {
  const output = await container.withExec(["node", PROGRAM, command, JSON.stringify(input)]).stdout();
  try {
    // The program is ours and of the same build: its output needs no schema.
    return JSON.parse(output) as T;
  } catch (cause) {
    throw new TgoError("INTERNAL", `the ${command} tool did not answer with JSON`, { cause });
  }
}
