import { applyOverride, withFlags, type Catalog } from "@tgo/catalog";
import { diagnose, probeRegistry, renderProbe, renderRows, type Row, type Seen } from "@tgo/doctor";
import { problemOf, TgoError } from "@tgo/errors";
import { parseReference } from "@tgo/registry";
import { EXIT } from "../command-process.js";
import { isDockerRunning } from "../engine.js";
import { readDefaults } from "../environment-defaults.js";
import { catalogFile, readOverride } from "./catalog-file.js";
import { settings } from "./doctor-settings.js";
import { credentialsOf, hostFacts } from "./host-facts.js";
import type { OwnRun } from "./own-run.js";

/** Looks at this machine and the catalog's registries. @returns a failure if something keeps a publish from working */
export async function doctor(run: OwnRun): Promise<number> {
  const { invocation, output } = run;
  if (typeof invocation.flags.probe === "string") return probe(run, invocation.flags.probe);
  const facts = await hostFacts(run, { catalog: await catalogOf(run), isDockerRunning });
  const rows = diagnose(facts);
  const isOk = rows.every(({ state }) => state !== "failed");
  output.out(invocation.flags.format === "json" ? json(rows, isOk) : renderRows(rows));
  return isOk ? EXIT.ok : EXIT.failure;
}

/** Looks at one registry, by pushing to it. @returns a failure if the probe could not be carried out to its end */
async function probe({ invocation, process, output }: OwnRun, text: string): Promise<number> {
  const { host, repository, tag, digest } = parseReference(text);
  if (tag !== undefined || digest !== undefined)
    throw new TgoError("USAGE", "--probe takes a repository, without a tag or digest", {
      where: text,
      remedy: "Name a repository that nothing depends on, such as ghcr.io/me/probe.",
    });
  const { env, cwd, home } = process;
  const { source } = await credentialsOf(settings(invocation, { env, cwd }).dockerConfig, { env, cwd, home });
  const credentials = await source?.(host);
  const result = await probeRegistry(
    { host, ...(credentials === undefined ? {} : { credentials }) },
    repository,
  );
  output.out(
    invocation.flags.format === "json" ? `${JSON.stringify(result, null, 2)}\n` : renderProbe(result),
  );
  return result.problem === undefined ? EXIT.ok : EXIT.failure;
}

function json(rows: readonly Row[], ok: boolean): string {
  return `${JSON.stringify({ ok, rows }, null, 2)}\n`;
}

/** The catalog with the registries and mirrors of flags and variables; a mistake in it is a row like any other. */
async function catalogOf(run: OwnRun): Promise<Seen<{ readonly catalog: Catalog; readonly from: string }>> {
  const { invocation, product, process } = run;
  try {
    const file = await catalogFile(run);
    const catalog = applyOverride(await product.builtInCatalog(), await readOverride(file), file?.name);
    const { env, cwd } = process;
    const defaults = await readDefaults(product.moduleApi, { env, cwd, given: new Map() }, () => undefined);
    const list = (name: string): string[] =>
      [invocation.flags[name] ?? defaults.get(name)?.value ?? []].flat().map(String);
    return {
      from: file?.name ?? "the built-in catalog",
      catalog: withFlags(catalog, { mirror: list("mirror"), registry: list("registry") }),
    };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}
