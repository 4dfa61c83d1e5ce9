/**
 * node scripts/translations.mjs [--check]
 *
 * Keeps translations in step: each page in docs/zh, and README.zh.md, has one section for each of the English page, in
 * the same order, and the same commands, and docs/zh/sources.json has the hash of every English section at the time it
 * was translated. Without
 * --check the hashes are written: run it once the translation has been corrected.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { root } from "./root.mjs";

const SOURCES = "docs/zh/sources.json";

/** Translated pages: the English one and its translation. */
export async function translatedPages() {
  const listed = await readdir(`${root}/docs/zh`, { recursive: true });
  const names = listed.filter((name) => name.endsWith(".md")).sort();
  const pages = names.map((name) => ({ source: `docs/${name}`, translation: `docs/zh/${name}` }));
  const readme = { source: "README.md", translation: "README.zh.md" };
  return [...(existsSync(`${root}/${readme.translation}`) ? [readme] : []), ...pages];
}

/** A page's sections: what stands before the first heading of level two belongs to the page's title. */
export function sectionsOf(text) {
  const sections = [];
  let inCode = false;
  for (const line of text.split("\n")) {
    if (line.startsWith("```")) inCode = !inCode;
    const heading = inCode ? undefined : /^##? (.*)$/.exec(line)?.[1];
    if (heading !== undefined) sections.push({ heading, lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections.map(({ heading, lines }) => ({ heading, text: lines.join("\n").trim() }));
}

/** A page's commands: its `sh` blocks. */
const commandsOf = (text) => [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block]) => block);

/** Of text with other line breaks, or with links to pages that moved, nothing has to be translated. */
export const hashOf = ({ heading, text }) =>
  createHash("sha256")
    .update(
      `${heading}\n${text
        .replaceAll(/\s+/g, " ")
        .replaceAll(/-{3,}/g, "-")
        .replaceAll(/\]\((?![a-z]+:)[^)]*\)/g, "]()")}`,
    )
    .digest("hex")
    .slice(0, 16);

/** What is out of step, a line each. `read` returns a page's text. */
export async function outOfStep(pages, recorded, read) {
  const problems = [];
  for (const { source, translation } of pages) {
    const english = sectionsOf(await read(source));
    const translated = sectionsOf(await read(translation));
    if (english.length !== translated.length) {
      problems.push(`${translation} has ${translated.length} sections, ${source} ${english.length}`);
      continue;
    }
    if (commandsOf(await read(source)).join("\n") !== commandsOf(await read(translation)).join("\n"))
      problems.push(`${translation} has other commands than ${source}`);
    for (const section of english)
      if (recorded[source]?.[section.heading] !== hashOf(section))
        problems.push(`${source}, "${section.heading}", changed since it was translated in ${translation}`);
  }
  return problems;
}

if (process.argv[1] === import.meta.filename) {
  const read = (path) => readFile(`${root}/${path}`, "utf8");
  const pages = await translatedPages();
  if (process.argv.includes("--check")) {
    const problems = await outOfStep(pages, JSON.parse(await read(SOURCES)), read);
    for (const problem of problems) console.error(problem);
    if (problems.length > 0) console.error("Correct the translations, then run npm run translations.");
    process.exitCode = problems.length > 0 ? 1 : 0;
  } else {
    const entries = pages.map(async ({ source }) => [
      source,
      Object.fromEntries(sectionsOf(await read(source)).map((section) => [section.heading, hashOf(section)])),
    ]);
    const text = JSON.stringify(Object.fromEntries(await Promise.all(entries)), undefined, 2);
    await writeFile(`${root}/${SOURCES}`, `${text}\n`);
  }
}
