import { TgoError } from "@tgo/errors";
import { pathExists, readInputFile, readReason } from "@tgo/host";
import { resolve } from "node:path";
import { readDefaults } from "../environment-defaults.js";
import type { OwnRun } from "./own-run.js";

/** Where a catalog is looked for if none is named. */
const NAMES = ["tgo.catalog.jsonc", "tgo.catalog.json"];

/** The file that --catalog names, else the variable, else one in the current folder. */
export async function catalogFile({
  invocation,
  product,
  process,
  output,
}: OwnRun): Promise<string | undefined> {
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

export async function readCatalogText(path: string): Promise<string> {
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
