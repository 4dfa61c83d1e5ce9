import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";
import { Catalog } from "./catalog.js";
import { CATALOG_VERSION, OverrideHeader } from "./override-header.js";
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
  if (override !== undefined) refuseNewer(override, file);
  const header = v.safeParse(OverrideHeader, override ?? {});
  const merged = override === undefined ? base : merge(base as Json, override);
  const parsed = v.safeParse(Catalog, merged);
  if (header.success && parsed.success) return parsed.output;
  const issues = [...(header.issues ?? []), ...(parsed.issues ?? [])];
  throw new TgoError("CATALOG", problems(issues, { ...(merged as Json), ...headerOf(override) }), {
    where: override === undefined ? "built-in catalog" : file,
    remedy:
      "Field names and values: packages/catalog/schema/tgo.catalog.schema.json, docs/reference/catalog.md.",
  });
}

/** A newer format may mean something else by the same fields, so nothing else of it is read. */
function refuseNewer({ version }: Json, file: string): void {
  if (typeof version !== "number" || !(version > CATALOG_VERSION)) return;
  throw new TgoError(
    "CATALOG",
    `its format is version ${version}, and this version of tgo reads ${CATALOG_VERSION}`,
    {
      where: file,
      remedy: "Update the pipelines to the version that the catalog was written for.",
    },
  );
}

function headerOf(override: Json | undefined): Json {
  return Object.fromEntries(
    Object.entries(override ?? {}).filter(([field]) => Object.hasOwn(OverrideHeader.entries, field)),
  );
}

function merge(catalog: Json, override: Json): Json {
  // A catalog without registries has TGO's by the schema's default: an override changes those.
  const base: Json = override.extends === "none" ? NOTHING : { registries, ...catalog };
  const result: Json = { ...base };
  for (const [field, value] of Object.entries(override)) {
    if (Object.hasOwn(OverrideHeader.entries, field)) continue;
    const entries = field === "services" || field === "registries";
    if (entries && v.isObject(value)) result[field] = mergeEntries(asObject(base[field]), value);
    else if (["machines", "mirrors", "release", "signatures"].includes(field) && v.isObject(value))
      result[field] = { ...asObject(base[field]), ...value };
    else result[field] = value;
  }
  return result;
}

/** What `"extends": "none"` starts from. */
const NOTHING: Json = { services: {}, registries: {} };

function mergeEntries(base: Json, override: Json): Json {
  const result: Json = { ...base };
  for (const [name, value] of Object.entries(override)) {
    if (value === null) Reflect.deleteProperty(result, name);
    else result[name] = v.isObject(value) ? { ...asObject(base[name]), ...value } : value;
  }
  return result;
}
