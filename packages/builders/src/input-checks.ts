import type { PythonBuild } from "@tgo/catalog";
import { requireFiles } from "./image-config/configure-image.js";
import { buildSecrets } from "./dockerfile/build-dockerfile.js";
import { lockedRequirements, requireLock } from "./python/lock.js";
import { withTools } from "./python/tools.js";
import type { BuildRequest } from "./build-request.js";
import { readProject } from "./static-web/project.js";
import { siteFiles } from "./static-web/site.js";

/**
 * What a build asks of its source and its caller before it makes anything, one promise each: locks that match their
 * projects, files that are there, secrets that were given. The build's own checks, without the build.
 */
export function inputChecks(request: BuildRequest): readonly Promise<unknown>[] {
  return [requireFiles(request), ...byStrategy(request)];
}

function byStrategy(request: BuildRequest): readonly Promise<unknown>[] {
  const { context, name, service } = request;
  const { build } = service;
  switch (build.strategy) {
    case "python":
      return [checkPackages({ ...request, service: { ...service, build } })];
    case "static-web": {
      const pages = { ...request, service: { ...service, build } };
      return [readProject(pages), siteFiles(pages)];
    }
    case "dockerfile":
      return [buildSecrets(context, name, build)];
  }
}

/** By the lock's own tool, which the build needs next: what is fetched for it here is not fetched again. */
async function checkPackages(request: BuildRequest<PythonBuild>): Promise<void> {
  const lock = await requireLock(request);
  await lockedRequirements(request, lock, await withTools(request));
}
