import type { Container, Directory, File } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import type { BuildRequest } from "../build-request.js";
import { MACHINES } from "../machines.js";
import { programError } from "./program-error.js";
import { programCommand, withProgram } from "./programs.js";
import { DOWNLOADS, mirrorOption } from "./tools-container.js";

/**
 * The highest minor version of glibc 2 that a wheel may require. With 17, several packages of real services have no
 * wheel; more than 28 gains nothing. Every Debian since 10 has glibc 2.28.
 */
export const GLIBC = 28;

/** A package without a wheel for some platform; its source archive has been downloaded and inspected. */
export interface SourcePackage {
  readonly name: string;
  readonly version: string;
  readonly file: string;
  readonly sha256: string;
  /** As in file names: linux-amd64. */
  readonly platforms: readonly string[];
  /** The languages to compile: c, c++, rust ...; empty for a pure Python package. */
  readonly languages: readonly string[];
}

export interface WheelPlan {
  /** wheel-plan.json, the input of install_environment.py. */
  readonly file: File;
  readonly sources: readonly SourcePackage[];
  /** JSON for build_wheel.py: the indexes that build backends come from. */
  readonly indexes: string;
  readonly notes: readonly string[];
}

/** A platform as part of a file name. */
export function slug(platform: Platform): string {
  return platform.replace("/", "-");
}

/**
 * Runs scripts/choose_wheels.py, which decides on the wheel of every locked package for each platform, before anything
 * is installed.
 * @throws TgoError BUILD for a package that was removed or changed, or is unavailable for a platform;
 *   UNAUTHORIZED or UNAVAILABLE for the index
 */
export async function chooseWheels(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  lock: Directory,
  platforms: readonly Platform[],
): Promise<WheelPlan> {
  const file = withProgram(tools, "choose_wheels")
    .withMountedDirectory("/run/tgo/lock", lock)
    .withExec(
      programCommand("choose_wheels", [
        ...["--lock", "/run/tgo/lock", "--out", "/out", "--cache", DOWNLOADS, "--glibc", `${GLIBC}`],
        ...mirrorOption(request.context),
        ...platforms.flatMap((platform) => ["--platform", `${slug(platform)}=${MACHINES[platform]}`]),
      ]),
    )
    .file("/out/wheel-plan.json");
  try {
    // The program is ours, from the same build: its output needs no schema.
    const plan = JSON.parse(await file.contents()) as Omit<WheelPlan, "file" | "indexes"> & {
      indexes: unknown;
    };
    return { file, sources: plan.sources, indexes: JSON.stringify(plan.indexes), notes: plan.notes };
  } catch (error) {
    throw programError("looking up the packages", request.name, error);
  }
}
