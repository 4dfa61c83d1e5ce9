import { applyOverride, catalogOrigins, type Catalog, type CatalogOrigins } from "@tgo/catalog";
import { isTgoError } from "@tgo/errors";
import { count } from "@tgo/report";
import { EXIT } from "../command-process.js";
import { catalogFile, readOverride } from "./catalog-file.js";
import type { OwnRun } from "./own-run.js";

/**
 * `catalog check`: whether a catalog file is valid, with all its problems. `catalog show`: the catalog that results.
 * @throws TgoError CATALOG listing every problem, USAGE for a file that cannot be read
 */
export async function catalog(run: OwnRun): Promise<number> {
  const { invocation, product, output } = run;
  const { words, flags } = invocation;
  const isJson = flags.format === "json";
  const named = await catalogFile(run);
  const file = named?.name;
  const base = await product.builtInCatalog();
  try {
    const override = await readOverride(named);
    const result = applyOverride(base, override, file);
    if (words[0] === "show") {
      const origins = catalogOrigins(base, override, file);
      output.out(
        isJson ? `${JSON.stringify({ ...result, origins }, null, 2)}\n` : show(result, origins, file),
      );
    } else
      output.out(isJson ? `${JSON.stringify({ ok: true, file, problems: [] })}\n` : checked(result, file));
    return EXIT.ok;
  } catch (error) {
    if (words[0] !== "check" || !isJson || !isTgoError(error)) throw error;
    const [head = "", ...problems] = error.what.split("\n  - ");
    output.out(
      `${JSON.stringify({ ok: false, file, problems: problems.length === 0 ? [head] : problems })}\n`,
    );
    return EXIT.failure;
  }
}

function checked(result: Catalog, file: string | undefined): string {
  const services = Object.entries(result.services);
  const registries = Object.keys(result.registries).length;
  const silent = services.filter(([, { smoke, image, build }]) => {
    return smoke.http.length === 0 && image.healthcheck === undefined && build.strategy !== "static-web";
  });
  return [
    `${file ?? "the built-in catalog"} is valid: ${count(services.length, "service")}, ` +
      `${count(registries, "registry", "registries")}, ${result.platforms.join(" and ")}`,
    ...(registries === 0 ? ["  no registry: nothing can be published without --registry"] : []),
    ...(silent.length === 0
      ? []
      : [`  no health request, so smoke runs do not start it: ${silent.map(([name]) => name).join(", ")}`]),
    "",
  ].join("\n");
}

function show(result: Catalog, origins: CatalogOrigins, file: string | undefined): string {
  const table = (rows: readonly (readonly string[])[]): string[] => {
    const widths = rows.reduce<number[]>(
      (all, row) => row.map((cell, at) => Math.max(all[at] ?? 0, cell.length)),
      [],
    );
    return rows.map((row) => `  ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  ")}`.trimEnd());
  };
  const registries = Object.entries(result.registries).map(([name, { host, repository, required }]) => [
    ...[name, `${host}/${repository}`, required ? "required" : "optional"],
    origins.registries[name] ?? "",
  ]);
  const services = Object.entries(result.services).map(([name, { build, source }]) => [
    ...[name, build.strategy, source.path ?? `repos/${name}`],
    origins.services[name] ?? "",
  ]);
  return [
    `catalog: ${origins.base === "none" ? (file ?? "") : `TGO's own${file === undefined ? "" : `, changed by ${file}`}`}`,
    `platforms: ${result.platforms.join(", ")}`,
    ...(origins.settings.length === 0 ? [] : [`settings from ${file ?? ""}: ${origins.settings.join(", ")}`]),
    "",
    "registries",
    ...table(registries),
    "",
    "services",
    ...table(services),
    "",
    "--format json shows every field.",
    "",
  ].join("\n");
}
