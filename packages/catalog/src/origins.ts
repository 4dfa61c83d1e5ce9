import { asObject, type Json } from "./problems.js";
import { registries } from "./registry.js";

/** Where the entries of a catalog are from: "built-in", the file's name, or both with the fields that the file sets. */
export interface CatalogOrigins {
  readonly base: "tgo" | "none";
  readonly services: Readonly<Record<string, string>>;
  readonly registries: Readonly<Record<string, string>>;
  /** Other fields that the file sets: "platforms", "release" … */
  readonly settings: readonly string[];
}

/**
 * Where each service and registry of a catalog is from.
 * @param base the built-in catalog as data
 * @param override the file's content; both are valid
 */
export function catalogOrigins(base: unknown, override: unknown, file = "tgo.catalog.json"): CatalogOrigins {
  const given = asObject(override);
  const isOwn = given.extends === "none";
  const builtIn: Json = isOwn ? {} : { registries, ...asObject(base) };
  const from = (field: "services" | "registries"): Record<string, string> => {
    const known = asObject(builtIn[field]);
    const changes = asObject(given[field]);
    const names = [
      ...Object.keys(known),
      ...Object.keys(changes).filter((name) => !Object.hasOwn(known, name)),
    ];
    return Object.fromEntries(
      names
        .filter((name) => changes[name] !== null)
        .map((name) => {
          if (!Object.hasOwn(changes, name)) return [name, "built-in"];
          if (!Object.hasOwn(known, name)) return [name, file];
          return [name, `built-in; ${file}: ${Object.keys(asObject(changes[name])).join(", ")}`];
        }),
    );
  };
  const entries = ["$schema", "version", "extends", "services", "registries"];
  return {
    base: isOwn ? "none" : "tgo",
    services: from("services"),
    registries: from("registries"),
    settings: Object.keys(given).filter((field) => !entries.includes(field)),
  };
}
