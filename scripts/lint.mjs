/**
 * ESLint, in one process, over the packages whose verdict can have changed since they passed: the compiler reads the
 * sources and the libraries' declarations once, not once for each package.
 *
 * node scripts/lint.mjs
 *
 * Needs `npm run check:types`, whose declarations say whether a package looks different to those that use it.
 * .cache/lint.json has the folders that passed, with the hash of what was linted.
 */
import { ESLint } from "eslint";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { lintHashes } from "./lint-hashes.mjs";
import { root } from "./root.mjs";

const PASSED = `${root}/.cache/lint.json`;
/** Files of the top folder. */
const TOP = ["vitest.config.ts", "eslint.config.js", ".dependency-cruiser.mjs"];
/** typescript-eslint compiles once and does not watch files, as for the `eslint` command. */
process.env.TSESTREE_SINGLE_RUN = "true";

const hashes = await lintHashes();
const passed = await readFile(PASSED, "utf8").then(JSON.parse, () => ({}));
const stale = Object.keys(hashes).filter((folder) => passed[folder] !== hashes[folder]);
console.log(
  `lint: ${stale.length} packages, ${Object.keys(hashes).length - stale.length} unchanged since they passed`,
);
if (stale.length > 0) {
  const eslint = new ESLint({ cwd: root });
  const results = await eslint.lintFiles([...TOP, ...stale]);
  const found = results.filter(({ messages }) => messages.length > 0);
  const failed = (folder) => found.some(({ filePath }) => filePath.startsWith(`${root}/${folder}/`));
  const format = await eslint.loadFormatter("stylish");
  console.log(await format.format(results));
  const now = Object.entries(hashes).filter(([folder]) => !failed(folder));
  // Files of the top folder belong to no package: while one fails, nothing has passed.
  const top = TOP.some((file) => found.some(({ filePath }) => filePath === `${root}/${file}`));
  await mkdir(`${root}/.cache`, { recursive: true });
  await writeFile(PASSED, JSON.stringify(top ? {} : Object.fromEntries(now), null, 2));
  if (found.length > 0) process.exitCode = 1;
}
