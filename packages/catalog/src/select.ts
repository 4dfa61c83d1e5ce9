import type { Catalog } from "./catalog.js";
import { parsePlatform, PLATFORMS } from "./parse-platform.js";
import type { Platform } from "./platform.js";
import type { Service } from "./service.js";
import { TgoError } from "@tgo/errors";
import { unknownName } from "./unknown-name.js";

/**
 * The services with the given names: in the order given, or all in the catalog's order for "all".
 * @throws TgoError USAGE with the nearest known name
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
 * @throws TgoError USAGE when one is unknown
 */
export function selectPlatforms(catalog: Catalog, given: readonly string[] | undefined): Platform[] {
  const wanted = given === undefined || given.length === 0 ? catalog.platforms : given.map(parsePlatform);
  // Always in the same order: the same platforms make the same image.
  return PLATFORMS.filter((platform) => wanted.includes(platform));
}
