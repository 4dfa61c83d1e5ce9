import type { Container, Directory } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { LAYER_TIME, type BuildRequest } from "../build-request.js";
import { MACHINES } from "../machines.js";
import type { BuiltWheels } from "./build-from-source.js";
import { GLIBC, slug, type WheelPlan } from "./choose-wheels.js";
import { programError } from "./program-error.js";
import { programCommand, withProgram } from "./programs.js";
import { DOWNLOADS } from "./tools-container.js";

/** The files of the virtual environment in two layers: those that all platforms share, and the rest per platform. */
export interface Environments {
  readonly common: Directory;
  readonly of: (platform: Platform) => Directory;
}

const PLAN = "/run/tgo/wheel-plan.json";

/** Runs scripts/install_environment.py, which installs the chosen wheels for all platforms at once. */
export function installWheels(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  plan: WheelPlan,
  platforms: readonly Platform[],
): Promise<Environments> {
  const container = withProgram(tools, "install_environment").withMountedFile(PLAN, plan.file);
  return install(request, container, ["--plan", PLAN, "--skeleton"], platforms);
}

/** Runs the same program for wheels that were built from source. */
export function installBuiltWheels(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  built: readonly BuiltWheels[],
  platforms: readonly Platform[],
): Promise<Environments> {
  let container = withProgram(tools, "install_environment");
  const args: string[] = [];
  for (const [index, { wheels, set }] of built.entries()) {
    container = container.withMountedDirectory(`/run/tgo/built/${index}`, wheels);
    args.push("--built", `${set}=/run/tgo/built/${index}`);
  }
  return install(request, container, args, platforms);
}

/** Merges separately installed environments into one. */
export function mergeEnvironments(
  request: BuildRequest<PythonBuild>,
  parts: readonly Environments[],
): Environments {
  const empty = request.context.client.directory();
  const join = (directories: readonly Directory[]): Directory =>
    directories.reduce((result, directory) => result.withDirectory("/", directory), empty);
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  return {
    common: join(parts.map(({ common }) => common)),
    of: (platform) => join(parts.map((part) => part.of(platform))),
  };
}

async function install(
  { name, service }: BuildRequest<PythonBuild>,
  container: Container,
  args: readonly string[],
  platforms: readonly Platform[],
): Promise<Environments> {
  const out = container
    .withExec(
      programCommand("install_environment", [
        ...args,
        ...["--service", name],
        ...["--environment", service.build.environment, "--out", "/out", "--cache", DOWNLOADS],
        ...["--time", `${LAYER_TIME}`],
        ...platforms.flatMap((platform) => [
          "--platform",
          `${slug(platform)}=${MACHINES[platform]}-manylinux_2_${GLIBC}`,
        ]),
      ]),
    )
    .directory("/out");
  try {
    await out.sync();
  } catch (error) {
    throw programError("installing the packages", name, error);
  }
  return { common: out.directory("common"), of: (platform) => out.directory(slug(platform)) };
}
