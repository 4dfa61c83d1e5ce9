import { TgoError } from "@tgo/errors";
import { TagPolicy } from "@tgo/release-rules";
import * as z from "zod/mini";
import { Catalog, Mirrors } from "./catalog.js";
import { Platform } from "./platform.js";
import { asObject, isObject, parseJsonFile, problems, safeParse, type Json } from "./problems.js";
import { Registry, registries } from "./registry.js";
import { Service } from "./service.js";

/**
 * The user's `tgo.catalog.json`: differences from the built-in catalog. A field of a service or registry is replaced as a
 * whole; null removes the entry.
 */
export const CatalogOverride = z
  .strictObject({
    $schema: z.optional(z.string()),
    services: z.optional(z.record(z.string(), z.nullable(z.partial(Service)))),
    registries: z.optional(z.record(z.string(), z.nullable(z.partial(Registry)))),
    platforms: z.optional(z.array(Platform).check(z.minLength(1))),
    mirrors: z.optional(z.partial(Mirrors)),
    release: z.optional(z.partial(TagPolicy)),
  })
  .check(z.describe("Overrides of the TGO catalog (tgo.catalog.json)."));

/**
 * Parses an override file.
 * @throws TgoError CATALOG with line and column when it is not JSON
 */
export function parseOverrideFile(text: string, file: string): unknown {
  return parseJsonFile(
    text,
    file,
    'Fix the file, or start from {"$schema": "./node_modules/@tgo/catalog/schema/tgo.catalog.schema.json"}.',
  );
}

/**
 * Merges an override into the catalog.
 * @param base the built-in catalog as data, not yet parsed
 * @throws TgoError CATALOG listing every problem with its path and value
 */
export function applyOverride(base: unknown, override?: unknown, file = "tgo.catalog.json"): Catalog {
  if (override !== undefined && !isObject(override)) {
    throw new TgoError("CATALOG", "must be a JSON object", {
      where: file,
      remedy: 'Start with {"services": {}}.',
    });
  }
  const merged = override === undefined ? base : merge(base as Json, override);
  const parsed = safeParse(Catalog, merged);
  if (parsed.success) return parsed.data;
  throw new TgoError("CATALOG", problems(parsed.error, merged), {
    where: override === undefined ? "built-in catalog" : file,
    remedy: "Field names and values: packages/catalog/schema/tgo.catalog.schema.json, docs/catalog.md.",
  });
}

function merge(catalog: Json, override: Json): Json {
  // A catalog without registries has TGO's by the schema's default: an override changes those.
  const base: Json = { registries, ...catalog };
  const result: Json = { ...base };
  for (const [field, value] of Object.entries(override)) {
    if (field === "$schema") continue;
    const entries = field === "services" || field === "registries";
    if (entries && isObject(value)) result[field] = mergeEntries(asObject(base[field]), value);
    else if ((field === "mirrors" || field === "release") && isObject(value))
      result[field] = { ...asObject(base[field]), ...value };
    else result[field] = value;
  }
  return result;
}

function mergeEntries(base: Json, override: Json): Json {
  const result: Json = { ...base };
  for (const [name, value] of Object.entries(override)) {
    if (value === null) Reflect.deleteProperty(result, name);
    else result[name] = isObject(value) ? { ...asObject(base[name]), ...value } : value;
  }
  return result;
}
