import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Build } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";

/** What a developer's edit looks like, by the language of the file. */
const EDITS: Readonly<Record<string, (mark: string) => string>> = {
  py: (mark) => `\nEDITED = "${mark}"\n`,
  ts: (mark) => `\nconsole.info("edited ${mark}");\n`,
  tsx: (mark) => `\nconsole.info("edited ${mark}");\n`,
  js: (mark) => `\nconsole.info("edited ${mark}");\n`,
  jsx: (mark) => `\nconsole.info("edited ${mark}");\n`,
};

const LANGUAGES: Record<Build["strategy"], readonly string[]> = {
  python: ["py"],
  "static-web": ["tsx", "jsx", "ts", "js"],
  dockerfile: ["py", "tsx", "jsx", "ts", "js"],
};

/** Folders whose files do not end in the image, or are not code that runs. */
const PASSED_OVER = /^(?:\..*|tests?|node_modules|dist|public|migrations|scripts)$/;

/**
 * Adds a line to one source file of a service: `main` where there is one, else the first by name.
 * @param mark makes the edit one that was never built before
 * @returns the file's path in the source
 */
export async function editSource(folder: string, strategy: Build["strategy"], mark: string): Promise<string> {
  const files = await sourceFiles(folder, "");
  for (const language of LANGUAGES[strategy]) {
    const candidates = files.filter((path) => path.endsWith(`.${language}`) && path.includes("/")).sort();
    const chosen = candidates.find((path) => path.endsWith(`/main.${language}`)) ?? candidates[0];
    const edit = EDITS[language];
    if (chosen === undefined || edit === undefined) continue;
    await appendFile(join(folder, chosen), edit(mark));
    return chosen;
  }
  throw new TgoError("SOURCE", "found no source file to edit", { where: folder });
}

async function sourceFiles(folder: string, path: string): Promise<string[]> {
  const entries = await readdir(join(folder, path), { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) => {
      if (entry.isFile()) return [join(path, entry.name)];
      const enters = entry.isDirectory() && !PASSED_OVER.test(entry.name);
      return enters ? sourceFiles(folder, join(path, entry.name)) : [];
    }),
  );
  return nested.flat();
}
