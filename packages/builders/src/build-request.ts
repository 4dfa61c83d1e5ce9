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
  /** Build values by name, complete. */
  readonly values: Readonly<Record<string, string>>;
  /** The image the result's file system starts with, and the digest of its index; undefined when it is not known. */
  readonly base: { readonly name: string; readonly digest: string } | undefined;
  /** What preparing it found that the reader of the report should know. */
  readonly notes: readonly string[];
  readonly version: string | undefined;
}

export interface Variant {
  readonly platform: Platform;
  readonly container: Container;
}

export interface Built {
  readonly variants: readonly Variant[];
  /** What the reader of the report should know of how it was built. */
  readonly notes: readonly string[];
}

/** Fills {version}, {revision}, {created} and {service} in. */
export function fill(
  template: string,
  { name, source, version }: Pick<BuildRequest, "name" | "source" | "version">,
): string {
  const facts: Record<string, string> = {
    service: name,
    revision: source.revision,
    created: source.created.toISOString().replace(".000Z", "Z"),
    version: version ?? source.revision,
  };
  return template.replaceAll(
    /\{(service|revision|created|version)\}/g,
    (_, fact: string) => facts[fact] ?? "",
  );
}

/**
 * Time of files that do not depend on the commit: dependencies, system packages. A constant, so that an
 * unchanged layer keeps its digest; 1980 is the earliest a zip archive can hold.
 */
export const LAYER_TIME = 315_532_800;
