import { requireFiles } from "./image-config/configure-image.js";
import { buildSecrets } from "./dockerfile/build-secrets.js";
import { checkPackages } from "./python/build-python.js";
import { withBuildLimit } from "./build-variants.js";
import type { BuildRequest } from "./build-request.js";
import { readProject } from "./static-web/read-project.js";
import { nginxFiles } from "./static-web/nginx-files.js";

/**
 * Starts the build's own checks of the source and the caller's input, without building: locks match their projects,
 * packages have files for each platform, files exist, secrets are given. One promise per check.
 */
export function startInputChecks(request: BuildRequest): readonly Promise<unknown>[] {
  const checks: readonly Promise<unknown>[] = [requireFiles(request), ...byStrategy(request)];
  return checks.map((check) => withBuildLimit(request, check));
}

function byStrategy(request: BuildRequest): readonly Promise<unknown>[] {
  const { context, name, service } = request;
  const { build } = service;
  switch (build.strategy) {
    case "python":
      return [checkPackages({ ...request, service: { ...service, build } })];
    case "static-web": {
      const web = { ...request, service: { ...service, build } };
      return [readProject(web), nginxFiles(web)];
    }
    case "dockerfile":
      return [buildSecrets(context, name, build)];
  }
}
