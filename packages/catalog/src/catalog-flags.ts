import type { Catalog } from "./catalog.js";
import { withMirrorFlags } from "./mirror.js";
import { parseRegistryFlag } from "./registry.js";

/** Values of `--mirror` and `--registry`. */
export interface CatalogFlags {
  readonly mirror?: readonly string[] | undefined;
  readonly registry?: readonly string[] | undefined;
}

/**
 * Adds mirrors to a catalog's; registries, if there are any, take the place of the catalog's.
 * @throws TgoError USAGE for a value that cannot be read
 */
export function withFlags(catalog: Catalog, { mirror = [], registry = [] }: CatalogFlags): Catalog {
  const mirrored = { ...catalog, mirrors: withMirrorFlags(catalog.mirrors, mirror) };
  if (registry.length === 0) return mirrored;
  const given = registry.map((text) => parseRegistryFlag(text, catalog.registries));
  return { ...mirrored, registries: Object.fromEntries(given.map((each) => [each.name, each.registry])) };
}
