import type { Container, Directory } from "@dagger.io/dagger";
import { detailsOf, isTgoError, TgoError } from "@tgo/errors";
import { type BillFiles, type ElfReport, type ElfScanOptions, unpackBillFiles } from "@tgo/image";
import program from "tgo:tools";
import { baseImage, type BuildContext } from "../build-context.js";
import { withTimeLimit } from "../time-limit.js";
import type { RangeCheck, RangeReport } from "./check-ranges.js";
import type { TreeReport } from "./hash-tree.js";
import type { InstallFilesInput } from "./install-files.js";
import type { InstalledPackage } from "./installed-packages.js";
import type { ProbeInput, ProbeReport } from "./probe.js";
import type { ScanElfOutput } from "./scan-elf.js";

/** The image that our container tools run in, natively; never part of a result. */
export const TOOLS_BASE = "docker.io/library/node:20-alpine";
const PROGRAM = "/run/tgo/tools.mjs";

/** Far more than any tool takes, and than a probe waits (smoke.timeoutSeconds is at most an hour). */
const TOOL_SECONDS = 2 * 3600;

/** A native container with Node and the container tools. */
export async function toolsContainer(context: BuildContext): Promise<Container> {
  const base = await baseImage(context, TOOLS_BASE, context.native).catch((error: unknown) => {
    if (!isTgoError(error)) throw error;
    const what = `the pipelines' own tools cannot start: ${error.what}`;
    throw new TgoError(error.code, what, { ...detailsOf(error), cause: error.cause });
  });
  return base.withNewFile(PROGRAM, program);
}

/** A source as its content alone makes it, whatever the checkout that it comes from; see copy-source.ts. */
export interface CopiedSource extends TreeReport {
  readonly directory: Directory;
}

export async function copySource(context: BuildContext, directory: Directory): Promise<CopiedSource> {
  const tools = await toolsContainer(context);
  const [from, to] = ["/mnt/source", "/mnt/copy"];
  const container = tools
    .withMountedDirectory(from, directory, { readOnly: true })
    .withExec(["node", PROGRAM, "copy-source", JSON.stringify({ from, to })]);
  const report = (await output("copy-source", container)) as TreeReport;
  return { ...report, directory: container.directory(to) };
}

/** The committer time of a commit, read from a `.git` directory; undefined if it cannot be determined. */
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

/** The packages in a node_modules directory. */
export async function listPackages(context: BuildContext, modules: Directory): Promise<InstalledPackage[]> {
  const tools = await toolsContainer(context);
  const root = "/mnt/modules";
  return run(tools.withMountedDirectory(root, modules, { readOnly: true }), "installed-packages", { root });
}

/** Checks versions against npm's ranges, in the given order. */
export type CheckRanges = (checks: readonly RangeCheck[]) => Promise<readonly RangeReport[]>;

export function rangeChecker(context: BuildContext): CheckRanges {
  return async (checks) => {
    const file = "/run/tgo/ranges.json";
    const input = JSON.stringify(checks.map(({ version, range }) => ({ version, range })));
    return run((await toolsContainer(context)).withNewFile(file, input), "check-ranges", { file });
  };
}

/**
 * Finds ELF files for another platform in a root file system, and programs without the libraries that they need.
 * @param options.bill whether the files that a bill of materials is made of are returned too
 */
export async function scanRoot(
  context: BuildContext,
  root: Directory,
  platform: string,
  options: ElfScanOptions & { readonly bill?: boolean },
): Promise<ElfReport & { readonly billFiles?: BillFiles }> {
  const tools = await toolsContainer(context);
  const mounted = tools.withMountedDirectory("/mnt/variant", root, { readOnly: true });
  const input = { root: "/mnt/variant", platform, ...options };
  const { packedBill, ...report } = await run<ScanElfOutput>(mounted, "scan-elf", input);
  return packedBill === undefined ? report : { ...report, billFiles: unpackBillFiles(packedBill) };
}

/** Compares what the variants of an image contain; see compareContents. */
export async function compareRoots(
  context: BuildContext,
  variants: readonly { readonly platform: string; readonly root: Directory }[],
  allow: readonly string[],
): Promise<string[]> {
  const pathOf = (at: number): string => `/mnt/variant-${at}`;
  const mounted = variants.reduce(
    (tools, { root }, at) => tools.withMountedDirectory(pathOf(at), root, { readOnly: true }),
    await toolsContainer(context),
  );
  const roots = variants.map(({ platform }, at) => ({ platform, root: pathOf(at) }));
  return run<string[]>(mounted, "compare-variants", { variants: roots, allow });
}

/** The Python packages with the same files in both root file systems; see equal-packages.ts. */
export async function equalPackages(
  context: BuildContext,
  [one, other]: readonly [Directory, Directory],
  environment: string,
): Promise<string[]> {
  const roots = ["/mnt/variant-0", "/mnt/variant-1"] as const;
  const mounted = (await toolsContainer(context))
    .withMountedDirectory(roots[0], one, { readOnly: true })
    .withMountedDirectory(roots[1], other, { readOnly: true });
  return run<string[]>(mounted, "equal-packages", { roots, environment });
}

/**
 * Sets one time on all entries of a directory, and modes that depend only on the executable bit. The engine's
 * withTimestamps follows symbolic links, and fails on those that point outside the directory.
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
  return tools
    .withDirectory(root, directory)
    .withExec(["node", PROGRAM, "normalize-metadata", input])
    .directory(root);
}

/** Installs directories, links and files into a root file system, natively for any platform. */
export async function withInstalledFiles(
  context: BuildContext,
  root: Directory,
  source: Directory,
  input: Omit<InstallFilesInput, "root" | "source">,
): Promise<Directory> {
  const tools = await toolsContainer(context);
  const paths = { root: "/mnt/tree", source: "/mnt/source" };
  return tools
    .withMountedDirectory(paths.root, root)
    .withMountedDirectory(paths.source, source, { readOnly: true })
    .withExec(["node", PROGRAM, "install-files", JSON.stringify({ ...paths, ...input })])
    .directory(paths.root);
}

/** Sends requests from a container to which the service is bound. */
export function probeFrom(container: Container, input: ProbeInput): Promise<ProbeReport> {
  return run<ProbeReport>(container, "probe", input);
}

async function run<T>(container: Container, command: string, input: unknown): Promise<T> {
  return (await output(command, container.withExec(["node", PROGRAM, command, JSON.stringify(input)]))) as T;
}

/** What a tool printed. The program is ours, from the same build: its output needs no schema. */
async function output(command: string, container: Container): Promise<unknown> {
  const text = await withTimeLimit(
    container.stdout(),
    TOOL_SECONDS,
    () =>
      new TgoError("ENVIRONMENT", `the ${command} tool did not end within ${TOOL_SECONDS} s`, {
        remedy:
          "The engine, or its disk, hardly responds: check its machine, then run the same command again.",
      }),
  );
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TgoError("INTERNAL", `the ${command} tool did not print JSON`, { cause });
  }
}
