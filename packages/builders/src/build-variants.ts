import type { BaseImage, Platform, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { baseImage } from "./build-context.js";
import { buildError } from "./build-error.js";
import { buildDockerfile } from "./dockerfile/build-dockerfile.js";
import { planDockerfile, readDockerfile } from "./dockerfile/plan-dockerfile.js";
import { nativeRemedy } from "./emulation.js";
import { lastLines } from "./exec-failure.js";
import { buildPython, PYTHON_REMEDY } from "./python/build-python.js";
import { builtPlatforms, type BuildRequest, type Built } from "./build-request.js";
import { withTimeLimit } from "./time-limit.js";
import { buildStaticWeb } from "./static-web/build-static-web.js";

/** In seconds; for a service that sets no limit. */
const TIMEOUT_SECONDS = 3600;

/**
 * Builds a service for every platform, by its strategy.
 * @throws TgoError BUILD also when it takes longer than build.timeoutSeconds
 */
export function buildVariants(request: BuildRequest): Promise<Built> {
  return withBuildLimit(request, build(request));
}

/** Limits work of a build to what the service's build may take. */
export function withBuildLimit<T>(request: BuildRequest, work: Promise<T>): Promise<T> {
  const { timeoutSeconds = TIMEOUT_SECONDS } = request.service.build;
  return withTimeLimit(work, timeoutSeconds, () => tooLong(request, timeoutSeconds));
}

function tooLong({ name, context, platforms }: BuildRequest, seconds: number): TgoError {
  const emulated = platforms.filter((platform) => platform !== context.native);
  const output = context.host.output?.() ?? [];
  const last = output.length === 0 ? "" : `\n${lastLines({ stdout: output.join("\n"), stderr: "" }, 25)}`;
  return new TgoError("BUILD", `building ${name} did not end within ${seconds} s${last}`, {
    where: "build.timeoutSeconds",
    remedy:
      "A command of the build waits for something, or needs longer: --verbose shows its output. Raise build.timeoutSeconds of the service." +
      (emulated[0] === undefined ? "" : `\nIf only an emulated RUN line hangs: ${nativeRemedy(emulated[0])}`),
  });
}

async function build(request: BuildRequest): Promise<Built> {
  pullBases(request);
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
 * Starts pulling the base images while packages are downloaded and built. Nothing waits for it here, and failures are
 * reported where the base is used.
 */
function pullBases(request: BuildRequest): void {
  const { context, service } = request;
  const { build } = service;
  if (build.strategy === "dockerfile") return;
  for (const platform of builtPlatforms(request)) {
    baseImage(context, build.base, platform)
      .then((base) => base.sync())
      .catch(() => undefined);
  }
}

/** The most frequent cause of a failure that no step has described itself. */
function remedyOf({ build }: Service): string {
  return build.strategy === "python" ? PYTHON_REMEDY : "The output above is from the build.";
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

/** The base images that the catalog names for a build; those of a Dockerfile are in its source. */
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

/** The base images of a build whose source is known. */
export interface BuildBases {
  readonly images: readonly { readonly reference: BaseImage; readonly platform: Platform }[];
  /** The image that the file system starts from; undefined if it is unknown or differs between platforms. */
  readonly base: BaseImage | undefined;
  /** FROM lines whose image only the build itself can determine. */
  readonly unknown: readonly string[];
}

/** The images that the catalog names, with the platform they are used on. */
export function catalogImages(
  { native, platforms }: { readonly native: Platform; readonly platforms: readonly Platform[] },
  build: Service["build"],
): BuildBases["images"] {
  if (build.strategy === "dockerfile") return [];
  // Builder images run on the engine's own platform, whatever the target.
  const builders = build.strategy === "static-web" ? [build.builder] : [];
  return [
    ...builders.map((reference) => ({ reference, platform: native })),
    ...platforms.map((platform) => ({ reference: build.base, platform })),
  ];
}

/**
 * All base images of a build.
 * @throws TgoError SOURCE for a Dockerfile that is missing or has no such target
 */
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
