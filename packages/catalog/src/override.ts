import { TgoError } from "@tgo/errors";
import * as z from "zod";
import { Catalog, Mirrors } from "./catalog.js";
import { Platform } from "./platform.js";
import { Registry } from "./registry.js";
import { Service } from "./service.js";

/**
 * The user's `tgo.catalog.json`: what differs from the built-in catalog.
 * A field of a service or registry is replaced whole; null removes the entry.
 */
export const CatalogOverride = z
  .strictObject({
    $schema: z.string().optional(),
    services: z.record(z.string(), Service.partial().nullable()).optional(),
    registries: z.record(z.string(), Registry.partial().nullable()).optional(),
    platforms: z.array(Platform).min(1).optional(),
    mirrors: Mirrors.partial().optional(),
  })
  .describe("Overrides of the TGO catalog (tgo.catalog.json).");

type Json = Record<string, unknown>;

/**
 * Reads an override file's text.
 * @throws TgoError CATALOG with the line and column when it is not JSON.
 */
export function parseOverrideFile(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TgoError("CATALOG", `not valid JSON: ${message}${position(text, message)}`, {
      where: file,
      remedy:
        'Mend the file, or start from {"$schema": "./node_modules/@tgo/catalog/schema/tgo.catalog.schema.json"}.',
      cause,
    });
  }
}

/**
 * The catalog with an override laid over it.
 * @param base the built-in catalog as data, not yet parsed
 * @throws TgoError CATALOG listing every problem with its path, value and remedy.
 */
export function applyOverride(base: unknown, override?: unknown, file = "tgo.catalog.json"): Catalog {
  if (override !== undefined && !isObject(override)) {
    throw new TgoError("CATALOG", "must be a JSON object", {
      where: file,
      remedy: 'Start with {"services": {}}.',
    });
  }
  const merged = override === undefined ? base : merge(base as Json, override);
  const parsed = Catalog.safeParse(merged);
  if (parsed.success) return parsed.data;
  throw new TgoError("CATALOG", problems(parsed.error, merged), {
    where: override === undefined ? "built-in catalog" : file,
    remedy: "Field names and values: packages/catalog/schema/tgo.catalog.schema.json, docs/catalog.md.",
  });
}

function merge(base: Json, override: Json): Json {
  const result: Json = { ...base };
  for (const [field, value] of Object.entries(override)) {
    if (field === "$schema") continue;
    const entries = field === "services" || field === "registries";
    if (entries && isObject(value)) result[field] = mergeEntries(asObject(base[field]), value);
    else if (field === "mirrors" && isObject(value)) result[field] = { ...asObject(base[field]), ...value };
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

function problems(error: z.ZodError, value: unknown): string {
  const lines = error.issues.flatMap((issue) => describe(issue, value));
  const count = lines.length === 1 ? "1 problem" : `${lines.length} problems`;
  return [`${count}:`, ...lines.map((line) => `  - ${line}`)].join("\n");
}

function describe(issue: z.core.$ZodIssue, root: unknown): string[] {
  const path = issue.path.map(String);
  const at = path.length === 0 ? "(top level)" : path.join(".");
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `${[...path, key].join(".")}: unknown field`);
  }
  const found = path.reduce<unknown>(
    (value, key) => (isObject(value) || Array.isArray(value) ? (value as Json)[key] : undefined),
    root,
  );
  const shown = found === undefined ? "missing" : `got ${truncate(JSON.stringify(found))}`;
  return [`${at}: ${issue.message} (${shown})`];
}

function truncate(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** V8 names a position in characters; people look for a line. */
function position(text: string, message: string): string {
  const offset = /position (\d+)/.exec(message)?.[1];
  if (offset === undefined || message.includes("line")) return "";
  const before = text.slice(0, Number(offset)).split("\n");
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asObject(value: unknown): Json {
  return isObject(value) ? value : {};
}
