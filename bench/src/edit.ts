import { appendFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Build } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";

/** The line to append, by file extension. */
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

/** Folders whose files are not in the image, or are not code that runs. */
const SKIPPED_FOLDERS = /^(?:\..*|tests?|node_modules|dist|public|migrations|scripts)$/;

/**
 * Appends a line to one source file of a service: to `main` if there is one, else to the first by name.
 * @param mark unique text, so that no earlier build had this edit
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
  throw new TgoError("SOURCE", "no source file to edit", { where: folder });
}

async function sourceFiles(folder: string, path: string): Promise<string[]> {
  const entries = await readdir(join(folder, path), { withFileTypes: true });
  const nested = await Promise.all(
    entries.map(async (entry) => {
      if (entry.isFile()) return [join(path, entry.name)];
      const enters = entry.isDirectory() && !SKIPPED_FOLDERS.test(entry.name);
      return enters ? sourceFiles(folder, join(path, entry.name)) : [];
    }),
  );
  return nested.flat();
}
