import type { Container } from "@dagger.io/dagger";
import type { Platform, PythonBuild } from "@tgo/catalog";
import { baseImage } from "../build-context.js";
import { configureImage } from "../image-config/configure-image.js";
import type { BuildRequest, Built } from "../build-request.js";
import { withSystemPackages } from "../debian/install-packages.js";
import { activateEnvironment } from "./activate.js";
import { compileApplication } from "./application.js";
import { makeData } from "./data.js";
import { installBuilt, installWheels, mergeEnvironments, type Environments } from "./environment.js";
import { lockedRequirements, requireLock } from "./lock.js";
import { planPackages } from "./plan.js";
import { buildSources } from "./sources.js";
import { withTools } from "./tools.js";

export { PYTHON_REMEDY } from "./problem.js";

/**
 * A Python service for all platforms at once: packages fetched, built and compiled to bytecode by native processes,
 * what the platforms share made once and kept in layers that all images have.
 */
export async function buildPython(request: BuildRequest<PythonBuild>): Promise<Built> {
  const { context, service, platforms } = request;
  const lock = await requireLock(request);
  const bases = Promise.all(
    platforms.map(async (platform) => {
      const base = await baseImage(context, service.build.base, platform);
      return { platform, ...(await withSystemPackages(request, { platform, container: base })) };
    }),
  );
  // They go on beside the tools and the lock, whose failures are told first.
  bases.catch(() => undefined);
  const tools = await withTools(request);
  const requirements = await lockedRequirements(request, lock, tools);
  const workdir = service.image.workdir ?? "/app";
  const packages = installPackages(request, tools, requirements);
  const [roots, { environments, notes }, application] = await Promise.all([
    bases,
    packages,
    compileApplication(request, workdir),
  ]);
  const data = await makeData(request, environments);
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
  return { variants, notes: [...notes, ...roots.flatMap((root) => root.notes)] };
}

/** The locked packages of every wanted platform; of the engine's own too when data is made with them. */
async function installPackages(
  request: BuildRequest<PythonBuild>,
  tools: Container,
  requirements: Awaited<ReturnType<typeof lockedRequirements>>,
): Promise<{ environments: Environments; notes: readonly string[] }> {
  const { context, service, platforms: wanted } = request;
  const platforms: Platform[] = [...wanted];
  if (service.build.data.length > 0 && !platforms.includes(context.native)) platforms.push(context.native);
  const plan = await planPackages(request, tools, requirements, platforms);
  const [installed, { built, notes }] = await Promise.all([
    installWheels(request, tools, plan, platforms),
    buildSources(request, tools, plan, platforms),
  ]);
  const parts = [installed];
  if (built.length > 0) parts.push(await installBuilt(request, tools, built, platforms));
  return { environments: mergeEnvironments(request, parts), notes: [...plan.notes, ...notes] };
}
