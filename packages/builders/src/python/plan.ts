import type { Container, Directory, File } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import type { BuildRequest } from "../build-request.js";
import { programError } from "./problem.js";
import { DOWNLOADS, mirrorOption, run, withProgram } from "./tools.js";

/** What Python and wheels call a platform's machine. */
export const MACHINES: Record<Platform, string> = { "linux/amd64": "x86_64", "linux/arm64": "aarch64" };

/**
 * The minor version of glibc 2 that wheels are chosen for. With 17 several packages of real services have no wheel; a
 * higher one gains nothing. Symbols up to 2.28 load on every Debian since 10.
 */
export const GLIBC = 28;

/** A package that has no wheel for some platform, and has been looked into. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
  /** As in a file name: linux-amd64. */
  readonly platforms: readonly string[];
  /** What has to be compiled: c, c++, rust ...; empty for a pure Python package. */
  readonly languages: readonly string[];
}

export interface Plan {
  /** plan.json, for the program that installs. */
  readonly file: File;
  readonly sources: readonly SourcePackage[];
  /** JSON for build.py: where build backends come from. */
  readonly indexes: string;
  readonly notes: readonly string[];
}

/** A platform in a file name. */
export function slug(platform: Platform): string {
  return platform.replace("/", "-");
}

/**
 * Decides which file of each package goes where, before anything is installed.
 * @throws TgoError: a package that was removed, changed, or cannot be had for a platform; an index out of reach
 */
export async function planPackages(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  lock: Directory,
  platforms: readonly Platform[],
): Promise<Plan> {
  const file = withProgram(tools, "plan")
    .withMountedDirectory("/run/tgo/lock", lock)
    .withExec(
      run("plan", [
        ...["--lock", "/run/tgo/lock", "--out", "/out", "--cache", DOWNLOADS, "--glibc", `${GLIBC}`],
        ...mirrorOption(request.context),
        ...platforms.flatMap((platform) => ["--platform", `${slug(platform)}=${MACHINES[platform]}`]),
      ]),
    )
    .file("/out/plan.json");
  try {
    // The program is ours and of the same build: its output needs no schema.
    const plan = JSON.parse(await file.contents()) as Omit<Plan, "file" | "indexes"> & { indexes: unknown };
    return { file, sources: plan.sources, indexes: JSON.stringify(plan.indexes), notes: plan.notes };
  } catch (error) {
    throw programError("looking up the packages", request.name, error);
  }
}
