import { parseOverrideFile } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { pathExists, readInputFile, readReason } from "@tgo/host";
import { relative, resolve } from "node:path";
import { readDefaults } from "../environment-defaults.js";
import type { OwnRun } from "./own-run.js";

/** Where a catalog is looked for if none is named. */
const NAMES = ["tgo.catalog.jsonc", "tgo.catalog.json"];

export interface CatalogFile {
  readonly path: string;
  /** As messages show it: from the current folder. */
  readonly name: string;
}

/** The file that --catalog names, else the variable, else one in the current folder. */
export async function catalogFile(run: OwnRun): Promise<CatalogFile | undefined> {
  const path = await catalogPath(run);
  return path === undefined ? undefined : { path, name: relative(run.process.cwd, path) || path };
}

async function catalogPath({ invocation, product, process, output }: OwnRun): Promise<string | undefined> {
  const given = invocation.flags.catalog;
  if (typeof given === "string") return resolve(process.cwd, given);
  const { env, cwd } = process;
  const defaults = await readDefaults(product.moduleApi, { env, cwd, given: new Map() }, ({ message }) => {
    output.err(`tgo: ${message}\n`);
  });
  const value = defaults.get("catalog")?.value;
  if (typeof value === "string") return resolve(cwd, value);
  for (const name of NAMES) if (await pathExists(resolve(cwd, name))) return resolve(cwd, name);
  return undefined;
}

/** @throws TgoError CATALOG listing every problem, USAGE for a file that cannot be read */
export async function readOverride(file: CatalogFile | undefined): Promise<unknown> {
  return file === undefined ? undefined : parseOverrideFile(await readText(file.path), file.name);
}

async function readText(path: string): Promise<string> {
  try {
    return (await readInputFile(path, { pipe: true })).bytes.toString("utf8");
  } catch (cause) {
    throw new TgoError("USAGE", `the catalog cannot be read (--catalog): ${readReason(cause)}`, {
      where: path,
      remedy: "Check the path.",
      cause,
    });
  }
}
