import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { applyOverride, parseOverrideFile, selectServices, type Catalog, type Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** A service of the catalog with a source to build. */
export interface Sample {
  readonly name: string;
  readonly service: Service;
  readonly folder: string;
  readonly hasDockerfile: boolean;
}

/** The given build arguments that a service's Dockerfile declares. */
export async function declaredArgs(
  { folder }: Pick<Sample, "folder">,
  given: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  const text = await readFile(join(folder, "Dockerfile"), "utf8");
  const declared = new Set([...text.matchAll(/^[ \t]*ARG[ \t]+([A-Za-z_]\w*)/gim)].map(([, name]) => name));
  return Object.fromEntries(Object.entries(given).filter(([name]) => declared.has(name)));
}

/** This repository's catalog with the user's override applied. */
export async function readCatalog(override: string | undefined): Promise<Catalog> {
  const folder = join(ROOT, "pipelines/services");
  const entries = await Promise.all(
    (await readdir(folder)).sort().map(async (name) => {
      const definition: unknown = JSON.parse(await readFile(join(folder, name, "service.json"), "utf8"));
      return [name, definition] as const;
    }),
  );
  const given =
    override === undefined ? undefined : parseOverrideFile(await readFile(override, "utf8"), override);
  return applyOverride({ services: Object.fromEntries(entries) }, given, override);
}

/**
 * The services to measure: the named ones, or all that have a source.
 * @throws TgoError USAGE, SOURCE if a named one has no source, or none has
 */
export function findSamples(catalog: Catalog, names: readonly string[], source: string): Sample[] {
  const all = names.length === 0 || names.includes("all");
  const selected = selectServices(catalog, all ? ["all"] : names);
  const found = selected.flatMap(({ name, service }) => {
    const folder = [join(source, "repos", name), join(source, name)].find((path) => existsSync(path));
    if (folder === undefined && !all) {
      throw new TgoError("SOURCE", `no source for ${name}`, {
        where: resolve(source),
        remedy: "Pass --source DIR, where DIR contains repos/NAME or NAME.",
      });
    }
    return folder === undefined
      ? []
      : [{ name, service, folder: resolve(folder), hasDockerfile: existsSync(join(folder, "Dockerfile")) }];
  });
  if (found.length > 0) return found;
  throw new TgoError("SOURCE", "no source of any service here", {
    where: resolve(source),
    remedy: "Pass --source DIR.",
  });
}
