import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { replaceBetweenMarkers } from "../markers.js";
import { plot } from "../plot.js";
import { markdownTable } from "../render.js";
import { ROOT } from "../samples.js";
import { readEarlier } from "../write-results.js";
import { merge, PUBLISHES, readPublishes } from "./publish-file.js";
import type { PublishResults } from "./publish-results.js";
import { publishTables, servicesOf } from "./publish-tables.js";

const DOCUMENT = join(ROOT, "docs/background/benchmarks.md");

/**
 * Writes the tables into docs/background/benchmarks.md, the runs beside it, and draws the plot again. What was written
 * there of other services stays.
 * @returns the document
 */
export async function writePublishes(added: PublishResults): Promise<string> {
  const known = await readPublishes();
  const results = known === undefined ? added : merge(known, added);
  const text = replaceBetweenMarkers(await readFile(DOCUMENT, "utf8"), section(results), "publish");
  const formatted = async (file: string, content: string, parser: string): Promise<void> =>
    writeFile(file, await format(content, { ...(await resolveConfig(file)), parser }));
  await formatted(DOCUMENT, text, "markdown");
  await formatted(PUBLISHES, JSON.stringify(results), "json");
  const builds = await readEarlier();
  if (builds !== undefined) await writeFile(DOCUMENT.replace(/\.md$/, ".svg"), plot(builds, results));
  return DOCUMENT;
}

function section(results: PublishResults): string {
  const { date, engine, commands } = results;
  const said = commands.map((command) => `- \`${command}\``);
  return [
    `Measured until ${date.slice(0, 10)}: ${machines(results)}; ${engine === "local" ? "local engine" : "Dagger's engine"}; ${codes(results)}. The commands:`,
    said.join("\n"),
    ...publishTables(results).flatMap((table) => [`### ${table.title}`, markdownTable(table)]),
  ].join("\n\n");
}

/** Which commits "before" and "after" are, each with the services that were measured at it. */
function codes({ runs, ...results }: PublishResults): string {
  const names = [...new Set(runs.map(({ code }) => code))].sort().reverse();
  return names
    .flatMap((code) => {
      const own = { ...results, runs: runs.filter((run) => run.code === code) };
      return withServices(own, "commit").map((commit) => `"${code}" is ${commit}`);
    })
    .join(", ");
}

function machines(results: PublishResults): string {
  return withServices(results, "machine").join(", ");
}

/** Each value, with the services that were measured with it if there are several. */
function withServices({ runs, ...results }: PublishResults, key: "commit" | "machine"): string[] {
  const values = [...new Set(runs.map((run) => run[key]))];
  if (values.length === 1) return values;
  return values.map((value) => {
    const services = servicesOf({ ...results, runs: runs.filter((run) => run[key] === value) });
    return `${value} (${services.join(", ")})`;
  });
}
