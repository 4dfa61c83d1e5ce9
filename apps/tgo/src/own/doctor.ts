import {
  applyOverride,
  parseOverrideFile,
  parseRegistryFlag,
  withMirrorFlags,
  type Catalog,
} from "@tgo/catalog";
import { diagnose, renderRows, type Row, type Seen } from "@tgo/doctor";
import { problemOf } from "@tgo/errors";
import { relative } from "node:path";
import { EXIT } from "../command-process.js";
import { isDockerRunning } from "../engine.js";
import { readDefaults } from "../environment-defaults.js";
import { catalogFile, readCatalogText } from "./catalog-file.js";
import { hostFacts } from "./host-facts.js";
import type { OwnRun } from "./own-run.js";

/** Looks at this machine and the catalog's registries. @returns a failure if something keeps a publish from working */
export async function doctor(run: OwnRun): Promise<number> {
  const { invocation, output } = run;
  const facts = await hostFacts(run, { catalog: await catalogOf(run), isDockerRunning });
  const rows = diagnose(facts);
  const isOk = rows.every(({ state }) => state !== "failed");
  output.out(invocation.flags.format === "json" ? json(rows, isOk) : renderRows(rows));
  return isOk ? EXIT.ok : EXIT.failure;
}

function json(rows: readonly Row[], ok: boolean): string {
  return `${JSON.stringify({ ok, rows }, null, 2)}\n`;
}

/** The catalog with the registries and mirrors of flags and variables; a mistake in it is a row like any other. */
async function catalogOf(run: OwnRun): Promise<Seen<{ readonly catalog: Catalog; readonly from: string }>> {
  const { invocation, product, process } = run;
  try {
    const path = await catalogFile(run);
    const file = path === undefined ? undefined : relative(process.cwd, path) || path;
    const override =
      path === undefined ? undefined : parseOverrideFile(await readCatalogText(path), file ?? path);
    const catalog = applyOverride(await product.builtInCatalog(), override, file);
    const { env, cwd } = process;
    const defaults = await readDefaults(product.moduleApi, { env, cwd, given: new Map() }, () => undefined);
    const list = (name: string): string[] =>
      [invocation.flags[name] ?? defaults.get(name)?.value ?? []].flat().map(String);
    const registries = list("registry").map((text) => parseRegistryFlag(text, catalog.registries));
    return {
      from: file ?? "the built-in catalog",
      catalog: {
        ...catalog,
        mirrors: withMirrorFlags(catalog.mirrors, list("mirror")),
        ...(registries.length === 0
          ? {}
          : { registries: Object.fromEntries(registries.map(({ name, registry }) => [name, registry])) }),
      },
    };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}
