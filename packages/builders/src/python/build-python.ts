import type { Container } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { baseImage } from "../build-context.js";
import { configureImage } from "../image-config/configure-image.js";
import type { BuildRequest, Built, CompileMethod, Variant } from "../build-request.js";
import { withSystemPackagesOfAll } from "../debian/install-packages.js";
import { activateEnvironment } from "./activate-environment.js";
import { compileApplication } from "./compile-application.js";
import {
  installBuiltWheels,
  installWheels,
  mergeEnvironments,
  type Environments,
} from "./install-environment.js";
import { lockedRequirements, requireLock } from "./locked-requirements.js";
import { buildFromSource, compileMethod } from "./build-from-source.js";
import { chooseWheels } from "./choose-wheels.js";
import { runDataCommands } from "./run-data-commands.js";
import { pythonToolsContainer } from "./tools-container.js";

export { PYTHON_REMEDY } from "./program-error.js";

/**
 * Builds a Python service for all platforms at once. Native processes download, build and compile the packages; files
 * that are identical on all platforms are made once, in layers that all images share.
 */
export async function buildPython(request: BuildRequest<PythonBuild>): Promise<Built> {
  const { service } = request;
  const lock = await requireLock(request);
  const bases = installSystemPackages(request);
  // They run in parallel with the tools and the lock, whose failures are reported first.
  bases.catch(() => undefined);
  const tools = await pythonToolsContainer(request);
  const requirements = await lockedRequirements(request, lock, tools);
  const workdir = service.image.workdir ?? "/app";
  const packages = installPackages(request, tools, requirements);
  const [roots, { environments, notes, compiled }, application] = await Promise.all([
    bases,
    packages,
    compileApplication(request, workdir),
  ]);
  const data = await runDataCommands(request, environments);
  const variants = await Promise.all(
    roots.map(async ({ platform, container }) => {
      const environment = await activateEnvironment(request, container, environments, platform);
      const filled = data.reduce(
        (result, { path, of }) => result.withDirectory(path, of(platform)),
        environment,
      );
      const variant = filled.withDirectory(workdir, application).withWorkdir(workdir);
      return { platform, container: await configureImage(request, variant) };
    }),
  );
  return {
    variants,
    notes: [...notes, ...roots.flatMap((root) => root.notes)],
    ...(compiled === undefined ? {} : { compiled }),
  };
}

async function installSystemPackages(
  request: BuildRequest<PythonBuild>,
): Promise<(Variant & { readonly notes: readonly string[] })[]> {
  const { context, service, platforms, only } = request;
  const variants = await Promise.all(
    platforms.map(async (platform) => ({
      platform,
      container: await baseImage(context, service.build.base, platform),
    })),
  );
  const installed = await withSystemPackagesOfAll(request, variants);
  return variants
    .map((variant, index) => ({ ...variant, notes: [], ...installed[index] }))
    .filter(({ platform }) => only === undefined || platform === only);
}

/** Installs the locked packages for every platform. */
async function installPackages(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  requirements: Awaited<ReturnType<typeof lockedRequirements>>,
): Promise<{
  environments: Environments;
  notes: readonly string[];
  compiled: CompileMethod | undefined;
}> {
  const platforms = packagePlatforms(request);
  const plan = await chooseWheels(request, tools, requirements, platforms);
  const [installed, { built, notes, methods }] = await Promise.all([
    installWheels(request, tools, plan, platforms),
    buildFromSource(request, tools, plan, platforms),
  ]);
  const parts = [installed];
  if (built.length > 0) parts.push(await installBuiltWheels(request, tools, built, platforms));
  return {
    environments: mergeEnvironments(request, parts),
    notes: [...plan.notes, ...notes],
    compiled: compileMethod(request, methods),
  };
}

/** The platforms whose packages are installed: the engine's own too if data commands need them. */
function packagePlatforms({ context, service, platforms }: BuildRequest<PythonBuild>): Platform[] {
  const needsNative = service.build.data.length > 0 && !platforms.includes(context.native);
  return [...platforms, ...(needsNative ? [context.native] : [])];
}

/**
 * Checks the lock with its own tool, and that the index has a file of every package for every platform. The build reuses
 * what is downloaded here.
 * @throws TgoError SOURCE, BUILD, UNAUTHORIZED, UNAVAILABLE
 */
export async function checkPackages(request: BuildRequest<PythonBuild>): Promise<void> {
  const lock = await requireLock(request);
  const tools = await pythonToolsContainer(request);
  const requirements = await lockedRequirements(request, lock, tools);
  await chooseWheels(request, tools, requirements, packagePlatforms(request));
}
