import type { BaseImage, Platform, Service } from "@tgo/catalog";
import { baseImage } from "./build-context.js";
import { buildError } from "./build-error.js";
import { buildDockerfile, planDockerfile, readDockerfile } from "./dockerfile/build-dockerfile.js";
import { buildPython, PYTHON_REMEDY } from "./python/build-python.js";
import type { BuildRequest, Built } from "./build-request.js";
import { buildStaticWeb } from "./static-web/build-static-web.js";

export { inputChecks } from "./input-checks.js";
export type { BuildRequest, Built, Variant } from "./build-request.js";

/** Builds every platform's variant of a service by its strategy. */
export async function buildVariants(request: BuildRequest): Promise<Built> {
  fetchBases(request);
  const built = await byStrategy(request);
  await Promise.all(
    built.variants.map(async ({ container }) => {
      await container.sync().catch((error: unknown) => {
        throw buildError(`building ${request.name}`, remedyOf(request.service), error);
      });
    }),
  );
  return { ...built, notes: [...built.notes, ...request.notes] };
}

/**
 * Lets the engine pull what the images start from while packages are downloaded and built: nothing waits for it here,
 * and what goes wrong is told where the base is used.
 */
function fetchBases({ context, service, platforms }: BuildRequest): void {
  const { build } = service;
  if (build.strategy === "dockerfile") return;
  for (const platform of platforms) {
    baseImage(context, build.base, platform)
      .then((base) => base.sync())
      .catch(() => undefined);
  }
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

/** Every base image that the catalog says a build starts from; a Dockerfile's are in its source. */
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

/** What a build starts from, once its source is known. */
export interface BuildBases {
  readonly images: readonly { readonly reference: BaseImage; readonly platform: Platform }[];
  /** The one the image's file system starts with; undefined when it differs between platforms, or is not known. */
  readonly base: BaseImage | undefined;
  /** FROM lines whose image cannot be told from the Dockerfile's text. */
  readonly unknown: readonly string[];
}

/** Those of them that the catalog names. */
export function catalogImages(
  { native, platforms }: { readonly native: Platform; readonly platforms: readonly Platform[] },
  build: Service["build"],
): BuildBases["images"] {
  if (build.strategy === "dockerfile") return [];
  // What only builds runs on the engine's own platform, whatever the image is for.
  const builders = build.strategy === "static-web" ? [build.builder] : [];
  return [
    ...builders.map((reference) => ({ reference, platform: native })),
    ...platforms.map((platform) => ({ reference: build.base, platform })),
  ];
}

/** @throws TgoError SOURCE for a Dockerfile that is missing or has no such target */
export async function buildBases({
  context,
  name,
  service,
  source,
  platforms,
  values,
}: Omit<BuildRequest, "base" | "notes">): Promise<BuildBases> {
  const { build } = service;
  if (build.strategy !== "dockerfile") {
    return { images: catalogImages({ ...context, platforms }, build), base: build.base, unknown: [] };
  }
  const text = await readDockerfile(name, build, source.directory);
  const plans = platforms.map((platform) =>
    planDockerfile({ name, build, native: context.native }, text, platform, values),
  );
  const bases = new Set(plans.map(({ base }) => base));
  return {
    images: plans.flatMap(({ images }) => images),
    base: bases.size === 1 ? plans[0]?.base : undefined,
    unknown: [...new Set(plans.flatMap(({ unknown }) => unknown))],
  };
}
