import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { replaceBetweenMarkers } from "./document.js";
import { plot } from "./plot.js";
import { renderMarkdown } from "./render.js";
import type { Results } from "./results.js";
import { ROOT } from "./samples.js";

const NAME = "benchmarks";

/**
 * Writes the results as JSON and as a plot, and the tables into the document that is there, else into a new one.
 * @returns what was written
 */
export async function writeResults(folder: string, results: Results): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const document = join(folder, `${NAME}.md`);
  const present = await readFile(document, "utf8").catch(() =>
    readFile(join(ROOT, "docs", `${NAME}.md`), "utf8"),
  );
  const markdown = replaceBetweenMarkers(present, renderMarkdown(results));
  const files = [
    [document, await format(markdown, { ...(await resolveConfig(document)), parser: "markdown" })],
    [join(folder, `${NAME}.json`), await json(results)],
    [join(folder, `${NAME}.svg`), plot(results)],
  ] as const;
  for (const [file, content] of files) await writeFile(file, content);
  return files.map(([file]) => file);
}

async function json(results: Results): Promise<string> {
  const file = join(ROOT, "docs", `${NAME}.json`);
  return format(JSON.stringify(results, null, 2), { ...(await resolveConfig(file)), parser: "json" });
}

/** What an earlier benchmark of the same engine saw, for the forecast; nothing when there is none. */
export async function readEarlier(): Promise<Results | undefined> {
  try {
    // Written by this program.
    return JSON.parse(await readFile(join(ROOT, "docs", `${NAME}.json`), "utf8")) as Results;
  } catch {
    return undefined;
  }
}
