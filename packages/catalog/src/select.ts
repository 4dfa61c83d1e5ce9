import type { Catalog } from "./catalog.js";
import { parsePlatform, type Platform } from "./platform.js";
import type { Registry } from "./registry.js";
import type { Service } from "./service.js";
import { TgoError } from "@tgo/errors";
import { unknownName } from "./unknown-name.js";

/**
 * The services of the given names, in the catalog's order for "all", else in the order given.
 * @throws TgoError USAGE naming the nearest known name.
 */
export function selectServices(
  catalog: Catalog,
  names: readonly string[],
): { name: string; service: Service }[] {
  const known = Object.keys(catalog.services);
  if (names.length === 0) {
    throw new TgoError("USAGE", "no service given", {
      remedy: `Use --service with one of: ${known.join(", ")}, or all.`,
    });
  }
  const wanted = names.includes("all") ? known : [...new Set(names.map((name) => name.trim()))];
  return wanted.map((name) => {
    const service = Object.hasOwn(catalog.services, name) ? catalog.services[name] : undefined;
    if (service === undefined) throw unknownName("service", name, known);
    return { name, service };
  });
}

/**
 * The platforms to build: the given ones, or the catalog's.
 * @throws TgoError USAGE when one is unknown or not in the catalog.
 */
export function selectPlatforms(catalog: Catalog, given: readonly string[] | undefined): Platform[] {
  if (given === undefined || given.length === 0) return catalog.platforms;
  return [...new Set(given.map(parsePlatform))];
}

/** The registries to publish to, by name, in order. */
export function selectRegistries(catalog: Catalog): { name: string; registry: Registry }[] {
  return Object.entries(catalog.registries).map(([name, registry]) => ({ name, registry }));
}
