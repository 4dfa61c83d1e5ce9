import type { Container } from "@dagger.io/dagger";
import type { Platform, Service } from "@tgo/catalog";
import type { BuildContext } from "./build-context.js";
import type { Source } from "./source/load-source.js";

/** One service to build. */
export interface BuildRequest<B extends Service["build"] = Service["build"]> {
  readonly context: BuildContext;
  readonly name: string;
  readonly service: Service & { build: B };
  readonly source: Source;
  readonly platforms: readonly Platform[];
  /**
   * Build the image of this platform only. The others are planned all the same: what they share is in layers of its own, so
   * the image is the one that a build of all platforms gives.
   */
  readonly only?: Platform;
  /** All build values by name. */
  readonly values: Readonly<Record<string, string>>;
  /** The image that the result's file system starts from, and the digest of its index; undefined if unknown. */
  readonly base: { readonly name: string; readonly digest: string } | undefined;
  /** Notes from preparing the build, for the report. */
  readonly notes: readonly string[];
  readonly version: string | undefined;
}

/** The image of one platform. */
export interface Variant {
  readonly platform: Platform;
  readonly container: Container;
}

/** A built service. */
export interface Built {
  readonly variants: readonly Variant[];
  /** Notes about how it was built, for the report. */
  readonly notes: readonly string[];
  /** How packages without a wheel were compiled, where one platform was built alone; absent where nothing was. */
  readonly compiled?: CompileMethod;
}

export type CompileMethod = "natively" | "cross-compiled" | "under emulation";

/** The platforms whose images are built. */
export function builtPlatforms({
  platforms,
  only,
}: Pick<BuildRequest, "platforms" | "only">): readonly Platform[] {
  return only === undefined ? platforms : [only];
}

/** Replaces {version}, {revision}, {created} and {service} in a template. */
export function fillTemplate(
  template: string,
  { name: service, source, version }: Pick<BuildRequest, "name" | "source" | "version">,
): string {
  const values: Record<string, string> = {
    service,
    revision: source.revision,
    created: source.created.toISOString().replace(".000Z", "Z"),
    version: version ?? source.revision,
  };
  return template.replaceAll(
    /\{(service|revision|created|version)\}/g,
    (_, name: string) => values[name] ?? "",
  );
}

/**
 * Time of files that do not depend on the commit, such as dependencies and system packages; seconds since 1970. It is
 * constant, so that an unchanged layer keeps its digest. 1980 is the earliest year a zip archive can hold.
 */
export const LAYER_TIME = 315_532_800;
