import type { BaseImage, Platform, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { fillTemplate, type BuildRequest } from "./build-request.js";
import { basesOf, buildBases } from "./build-variants.js";
import { buildValues } from "./static-web/build-values.js";
import { isWithoutCommit, whyUncommitted } from "./source/commit-notes.js";
import { baseImage, type BuildContext, type Uncommitted } from "./build-context.js";
import type { SourceOptions } from "./source/find-source.js";
import { loadSource } from "./source/load-source.js";

export interface PrepareOptions extends SourceOptions {
  /** Build values as NAME=value. */
  readonly values?: readonly string[];
}

/**
 * Reads the source and resolves base images to digests, without building anything.
 * @throws TgoError SOURCE, USAGE
 */
export async function prepareBuild(
  context: BuildContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<BuildRequest> {
  return context.progress.step({ step: "prepare", service: name }, async () => {
    const request = await readRequest(context, name, service, options);
    refuseUnreleasable(request);
    return (await resolveRequest(request)).request;
  });
}

/**
 * Reads the source and the build values. {@link resolveRequest} adds the base images.
 * @throws TgoError SOURCE, USAGE
 */
export async function readRequest(
  context: BuildContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<BuildRequest> {
  const { platforms } = context;
  // Resolves the catalog's base images while the source is being read.
  const early = Promise.all(
    basesOf(service.build).map((reference) =>
      context.bases.digest(reference, isFinal(service, reference) ? platforms[0] : context.native),
    ),
  );
  early.catch(() => undefined);
  const source = await loadSource(context, name, service, options);
  const given = parseValues(options.values ?? []);
  const partial = { context, name, service, source, platforms, version: options.version };
  const values = valuesOf(name, service, given, (template) => fillTemplate(template, partial));
  return { ...partial, values, base: undefined, notes: [] };
}

/** A build request whose base images are known by digest. */
export interface ResolvedRequest {
  readonly request: BuildRequest;
  /** Digests of the base images, by reference. */
  readonly bases: Readonly<Record<string, string>>;
}

/**
 * Resolves the base images to digests.
 * @throws TgoError SOURCE
 */
export async function resolveRequest(unresolved: BuildRequest): Promise<ResolvedRequest> {
  const { images, base, unknown } = await buildBases(unresolved);
  const bases = await resolveBases(unresolved.context, images);
  const request: BuildRequest = {
    ...unresolved,
    base: base === undefined ? undefined : { name: base, digest: bases[base] ?? "" },
    notes: pinNotes(unresolved.context, images, unknown),
  };
  return { request, bases };
}

/**
 * Refuses to build a version from a source that is not a commit or differs from it, before anything is built.
 * @throws TgoError SOURCE
 */
export function refuseUnreleasable({ source, version }: Pick<BuildRequest, "source" | "version">): void {
  const { revision, uncommitted } = source;
  const differs = uncommitted !== undefined && "differs" in uncommitted;
  if (version === undefined || (!differs && !isWithoutCommit(source))) return;
  throw new TgoError("SOURCE", `${version} cannot be built from ${revision}: ${whyUncommitted(source)}`, {
    remedy: releaseRemedy(uncommitted),
  });
}

function releaseRemedy(uncommitted: Uncommitted | undefined): string {
  if (uncommitted === undefined || "why" in uncommitted)
    return "Pass a source that is a git checkout, or pass --revision COMMIT and --created TIME.";
  if ("differs" in uncommitted) return uncommitted.remedy;
  return "Commit the changes. If they belong in no commit, such as generated files, pass --revision COMMIT and --created TIME.";
}

/** Whether the final image starts from it; builder images run on the engine's own platform. */
function isFinal({ build }: Service, reference: BaseImage): boolean {
  return "base" in build && build.base === reference;
}

function valuesOf(
  name: string,
  { build }: Service,
  given: ReadonlyMap<string, string>,
  fill: (template: string) => string,
): Record<string, string> {
  switch (build.strategy) {
    case "static-web":
      return buildValues(name, build, given, fill);
    case "dockerfile":
      return Object.fromEntries(
        Object.entries(build.args).map(([key, template]) => [key, given.get(key) ?? fill(template)]),
      );
    case "python":
      return {};
  }
}

/** The build values a service declares. */
function declaredValues({ build }: Service): string[] {
  switch (build.strategy) {
    case "static-web":
      return Object.keys(build.values);
    case "dockerfile":
      return Object.keys(build.args);
    case "python":
      return [];
  }
}

/**
 * Checks that the selected services declare the given build values.
 * @throws TgoError USAGE
 */
export function checkValues(
  values: readonly string[],
  services: readonly { name: string; service: Service }[],
): void {
  const declared = [...new Set(services.flatMap(({ service }) => declaredValues(service)))];
  for (const name of parseValues(values).keys()) {
    if (declared.includes(name)) continue;
    throw new TgoError("USAGE", `no selected service declares the build value ${name}`, {
      remedy: `Declared: ${declared.join(", ") || "none"}. Add it to build.values (build.args of a Dockerfile service) in tgo.catalog.json.`,
    });
  }
}

function parseValues(values: readonly string[]): Map<string, string> {
  return new Map(
    values.map((text) => {
      const equals = text.indexOf("=");
      if (equals < 1) {
        throw new TgoError("USAGE", `--value "${text}" is not NAME=value`, {
          remedy: "For example: --value VITE_API_BASE_URL=https://api.example.com.",
        });
      }
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

/**
 * The digest of every base image, by reference.
 * @throws TgoError SOURCE for a base that cannot be pulled, or lacks a platform
 */
async function resolveBases(
  context: BuildContext,
  images: readonly { reference: BaseImage; platform: Platform }[],
): Promise<Record<string, string>> {
  const resolved = await Promise.all(
    images.map(async ({ reference, platform }) => {
      await baseImage(context, reference, platform);
      return [reference, await context.bases.digest(reference, platform)] as const;
    }),
  );
  return Object.fromEntries(resolved);
}

function pinNotes(
  context: BuildContext,
  images: readonly { reference: BaseImage }[],
  unknown: readonly string[],
): string[] {
  const floating = [...new Set(images.map(({ reference }) => reference))].filter(
    (reference) => !context.bases.isPinned(reference),
  );
  return [
    ...(floating.length === 0
      ? []
      : [
          `base images not pinned, resolved during this run: ${floating.join(", ")}`,
          // A note of its own: the same for all services, and then shown once.
          `to pin base images, tgo lock-bases --output tgo.bases.json writes a lock for --base-lock`,
        ]),
    ...(unknown.length === 0
      ? []
      : [`not pinned, because only the build can resolve them: ${unknown.join("; ")}`]),
  ];
}
