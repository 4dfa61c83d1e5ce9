import type { Service } from "@tgo/catalog";
import { buildError } from "./build-error.js";
import { buildDockerfile } from "./dockerfile.js";
import { buildPython, PYTHON_REMEDY } from "./python.js";
import type { BuildRequest, Built } from "./request.js";
import { buildStaticWeb } from "./static-web.js";

export type { BuildRequest, Built, Variant } from "./request.js";

/** Builds every platform's variant of a service by its strategy. */
export async function buildVariants(request: BuildRequest): Promise<Built> {
  const built = await byStrategy(request);
  await Promise.all(
    built.variants.map(async ({ container }) => {
      await container.sync().catch((error: unknown) => {
        throw buildError(`building ${request.name}`, remedyOf(request.service), error);
      });
    }),
  );
  return built;
}

/** What a failed build most often means; pages and Dockerfiles have told their own by then. */
function remedyOf({ build }: Service): string {
  return build.strategy === "python" ? PYTHON_REMEDY : "The output above is the build's own.";
}

function byStrategy(request: BuildRequest): Promise<Built> {
  const { service } = request;
  const { build } = service;
  switch (build.strategy) {
    case "python":
      return buildPython({ ...request, service: { ...service, build } });
    case "static-web":
      return buildStaticWeb({ ...request, service: { ...service, build } });
    case "dockerfile":
      return buildDockerfile({ ...request, service: { ...service, build } });
  }
}

/** Every base image a build starts from. */
export function basesOf(build: Service["build"]): string[] {
  switch (build.strategy) {
    case "python":
      return [build.base];
    case "static-web":
      return [build.builder, build.base];
    case "dockerfile":
      return [];
  }
}
