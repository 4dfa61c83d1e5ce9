import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { replaceBetweenMarkers } from "./markers.js";
import { plot } from "./plot.js";
import { readPublishes } from "./publish/publish-file.js";
import { renderMarkdown } from "./render.js";
import type { Results } from "./results.js";
import { ROOT } from "./samples.js";

const NAME = "benchmarks";

/**
 * Writes the results as JSON and as a plot, and the tables into the existing document, else into a copy of docs/background's.
 * @returns the files written
 */
export async function writeResults(folder: string, results: Results): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const document = join(folder, `${NAME}.md`);
  const existing = await readFile(document, "utf8").catch(() =>
    readFile(join(ROOT, "docs/background", `${NAME}.md`), "utf8"),
  );
  const markdown = replaceBetweenMarkers(existing, renderMarkdown(results));
  const files = [
    [document, await format(markdown, { ...(await resolveConfig(document)), parser: "markdown" })],
    [join(folder, `${NAME}.json`), await json(results)],
    [join(folder, `${NAME}.svg`), plot(results, await readPublishes())],
  ] as const;
  for (const [file, content] of files) await writeFile(file, content);
  return files.map(([file]) => file);
}

async function json(results: Results): Promise<string> {
  const file = join(ROOT, "docs/background", `${NAME}.json`);
  return format(JSON.stringify(results, null, 2), { ...(await resolveConfig(file)), parser: "json" });
}

/** Results of an earlier benchmark, for the forecast; undefined if there are none. */
export async function readEarlier(): Promise<Results | undefined> {
  try {
    // Written by writeResults.
    return JSON.parse(await readFile(join(ROOT, "docs/background", `${NAME}.json`), "utf8")) as Results;
  } catch {
    return undefined;
  }
}
