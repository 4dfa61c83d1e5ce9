import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import { Catalog } from "./catalog.js";
import { asObject, parseJsonFile, problems, type Json } from "./problems.js";
import { registries } from "./registry.js";

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
  if (override !== undefined && !v.isObject(override)) {
    throw new TgoError("CATALOG", "must be a JSON object", {
      where: file,
      remedy: 'Start with {"services": {}}.',
    });
  }
  const merged = override === undefined ? base : merge(base as Json, override);
  const parsed = v.safeParse(Catalog, merged);
  if (parsed.success) return parsed.output;
  throw new TgoError("CATALOG", problems(parsed.issues, merged), {
    where: override === undefined ? "built-in catalog" : file,
    remedy: "Field names and values: packages/catalog/schema/tgo.catalog.schema.json, docs/reference/catalog.md.",
  });
}

function merge(catalog: Json, override: Json): Json {
  // A catalog without registries has TGO's by the schema's default: an override changes those.
  const base: Json = { registries, ...catalog };
  const result: Json = { ...base };
  for (const [field, value] of Object.entries(override)) {
    if (field === "$schema") continue;
    const entries = field === "services" || field === "registries";
    if (entries && v.isObject(value)) result[field] = mergeEntries(asObject(base[field]), value);
    else if (["machines", "mirrors", "release", "signatures"].includes(field) && v.isObject(value))
      result[field] = { ...asObject(base[field]), ...value };
    else result[field] = value;
  }
  return result;
}

function mergeEntries(base: Json, override: Json): Json {
  const result: Json = { ...base };
  for (const [name, value] of Object.entries(override)) {
    if (value === null) Reflect.deleteProperty(result, name);
    else result[name] = v.isObject(value) ? { ...asObject(base[name]), ...value } : value;
  }
  return result;
}
