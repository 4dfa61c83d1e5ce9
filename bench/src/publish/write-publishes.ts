import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { replaceBetweenMarkers } from "../markers.js";
import { markdownTable } from "../render.js";
import { ROOT } from "../samples.js";
import type { PublishResults } from "./publish-results.js";
import { publishTables } from "./publish-tables.js";

const DOCUMENT = join(ROOT, "docs/background/benchmarks.md");

/** Writes the tables into docs/background/benchmarks.md. @returns the file */
export async function writePublishes(results: PublishResults): Promise<string> {
  const text = replaceBetweenMarkers(await readFile(DOCUMENT, "utf8"), section(results), "publish");
  await writeFile(DOCUMENT, await format(text, { ...(await resolveConfig(DOCUMENT)), parser: "markdown" }));
  return DOCUMENT;
}

function section(results: PublishResults): string {
  const { date, machine, engine, commits, commands } = results;
  const codes = Object.entries(commits).map(([code, commit]) => `"${code}" is ${commit}`);
  const said = [...new Set(commands)].map((command) => `\`${command}\``).join(", ");
  return [
    `Measured until ${date.slice(0, 10)} with ${said}: ${machine}; ${engine === "local" ? "local engine" : "Dagger's engine"}; ${codes.join(", ")}.`,
    ...publishTables(results).flatMap((table) => [`### ${table.title}`, markdownTable(table)]),
  ].join("\n\n");
}
