import type { BaseImage, Platform, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { basesOf, buildBases, type BuildRequest } from "./build-variants.js";
import { fill } from "./build-request.js";
import { buildValues } from "./static-web/build-static-web.js";
import { isWithoutCommit, whyUncommitted } from "./source/commit-notes.js";
import { baseImage, type BuildContext } from "./build-context.js";
import { loadSource, type SourceOptions } from "./source/load-source.js";

export interface PrepareOptions extends SourceOptions {
  /** Build values as NAME=value. */
  readonly values?: readonly string[] | undefined;
  /** Version that the candidate is of, without a v; part of its bytes. */
  readonly version?: string | undefined;
}

/**
 * Reads the source and resolves the bases to digests. Builds nothing.
 * @throws TgoError SOURCE, USAGE
 */
export async function prepareBuild(
  context: BuildContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<BuildRequest> {
  return context.progress.step({ step: "prepare", service: name }, async () => {
    const opened = await openRequest(context, name, service, options);
    refuseUnreleasable(opened);
    return (await resolveRequest(opened)).request;
  });
}

/**
 * What is to be built, as far as its source and the caller's values say: the bases come with {@link resolveRequest}.
 * @throws TgoError SOURCE, USAGE
 */
export async function openRequest(
  context: BuildContext,
  name: string,
  service: Service,
  options: PrepareOptions,
): Promise<BuildRequest> {
  const { platforms } = context;
  // Asked for already while the source is read: what the catalog names needs none.
  const early = Promise.all(
    basesOf(service.build).map((reference) =>
      context.bases.digest(reference, isFinal(service, reference) ? platforms[0] : context.native),
    ),
  );
  early.catch(() => undefined);
  const source = await loadSource(context, name, service, options);
  const given = parseValues(options.values ?? []);
  const partial = { context, name, service, source, platforms, version: options.version };
  const values = valuesOf(name, service, given, (template) => fill(template, partial));
  return { ...partial, values, base: undefined, notes: [] };
}

/** A build request whose base images are known by digest. */
export interface ResolvedRequest {
  readonly request: BuildRequest;
  /** Digests the base images stand for, by reference. */
  readonly bases: Readonly<Record<string, string>>;
}

/**
 * Resolves the base images to digests.
 * @throws TgoError SOURCE
 */
export async function resolveRequest(opened: BuildRequest): Promise<ResolvedRequest> {
  const { images, base, unknown } = await buildBases(opened);
  const bases = await resolveBases(opened.context, images);
  const request: BuildRequest = {
    ...opened,
    base: base === undefined ? undefined : { name: base, digest: bases[base] ?? "" },
    notes: pinNotes(opened.context, images, unknown),
  };
  return { request, bases };
}

/**
 * A version is of a commit: said before anything is built in vain.
 * @throws TgoError SOURCE
 */
export function refuseUnreleasable({ source, version }: Pick<BuildRequest, "source" | "version">): void {
  if (version === undefined || !isWithoutCommit(source)) return;
  const { revision, uncommitted } = source;
  const hasChanges = uncommitted !== undefined && "changed" in uncommitted;
  throw new TgoError("SOURCE", `${version} cannot be made of ${revision}: ${whyUncommitted(source)}`, {
    remedy: hasChanges
      ? "Commit what has changed. For files that belong to no commit, such as generated ones: --revision COMMIT and --created TIME."
      : "Give a source that is a git checkout of its own, or say --revision COMMIT and --created TIME.",
  });
}

/** Whether the image starts from it; what only builds is of the engine's own platform. */
function isFinal({ build }: Service, reference: BaseImage): boolean {
  return "base" in build && build.base === reference;
}

function valuesOf(
  name: string,
  { build }: Service,
  given: ReadonlyMap<string, string>,
  filled: (template: string) => string,
): Record<string, string> {
  switch (build.strategy) {
    case "static-web":
      return buildValues(name, build, given, filled);
    case "dockerfile":
      return Object.fromEntries(
        Object.entries(build.args).map(([key, template]) => [key, given.get(key) ?? filled(template)]),
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

/** @throws TgoError USAGE for a value no selected service declares */
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
          remedy: "Write for example --value VITE_API_BASE_URL=https://api.example.com.",
        });
      }
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
}

/**
 * The digest every base stands for, by its reference.
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
          `base images not pinned, resolved when this ran: ${floating.join(", ")}; ` +
            `npx --no-install tgo lock-bases --output tgo.bases.json writes a lock for --base-lock`,
        ]),
    ...(unknown.length === 0
      ? []
      : [`not pinned, as the build decides what they mean: ${unknown.join("; ")}`]),
  ];
}
