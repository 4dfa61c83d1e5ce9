import type { Container, Directory } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { LAYER_TIME, type BuildRequest } from "../build-request.js";
import { GLIBC, MACHINES, slug, type Plan } from "./plan.js";
import { programError } from "./problem.js";
import type { BuiltWheels } from "./sources.js";
import { DOWNLOADS, run, withProgram } from "./tools.js";

/** The environment's files, in two layers for each platform: what all have in common, and the rest. */
export interface Environments {
  readonly common: Directory;
  readonly of: (platform: Platform) => Directory;
}

/** Installs the wheels of a plan for all platforms at once. */
export function installWheels(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  plan: Plan,
  platforms: readonly Platform[],
): Promise<Environments> {
  const container = withProgram(tools, "environment").withMountedFile("/run/tgo/plan.json", plan.file);
  return install(request, container, ["--plan", "/run/tgo/plan.json", "--skeleton"], platforms);
}

/** Installs wheels that were built here. */
export function installBuilt(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  built: readonly BuiltWheels[],
  platforms: readonly Platform[],
): Promise<Environments> {
  let container = withProgram(tools, "environment");
  const args: string[] = [];
  for (const [index, { wheels, set }] of built.entries()) {
    container = container.withMountedDirectory(`/run/tgo/built/${index}`, wheels);
    args.push("--built", `${set}=/run/tgo/built/${index}`);
  }
  return install(request, container, args, platforms);
}

/** Both, as one. */
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
      run("environment", [
        ...args,
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
