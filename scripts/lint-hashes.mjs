import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { PACKAGES, SHELLS, TESTS } from "./import-table.mjs";
import { root as repository, workspaces } from "./root.mjs";

/** What changes the verdict on every file: rules, compiler options, the versions of all libraries. */
const COMMON = [
  ...["eslint.config.js", "tsconfig.json", "tsconfig.base.json", "package-lock.json"],
  ...["vitest.config.ts", ".dependency-cruiser.mjs"],
];
/** JSON is not linted, but its types are seen by the code that imports it. */
const LINTED = /\.([cm]?[jt]s|json)$/;
const NOT_SOURCES = new Set(["node_modules", ".cache", ".turbo", "dist", "sdk"]);

/**
 * By folder of a package with code, the hash of all that ESLint's verdict on it depends on: its own files, and the declarations
 * of the packages that it may import, directly or through others. A change that no declaration shows leaves the hashes
 * of other packages. `npm run check:types` makes the declarations.
 * @param folders with a package.json, from the top folder
 */
export async function lintHashes(root = repository, folders = workspaces()) {
  const declared = new Map(
    await Promise.all(
      Object.keys(PACKAGES).map(async (name) => [name, await declarationsOf(root, `packages/${name}`)]),
    ),
  );
  const module = await declarationsOf(root, "pipelines/tgo");
  const modules = (await filesIn(root, "scripts")).filter((file) => /\.d\.m?ts$/.test(file));
  const common = await hashOf(root, [...COMMON, ...modules]);
  const hashes = await Promise.all(
    folders.map(async (folder) => {
      const files = await filesIn(root, folder, LINTED);
      if (files.every((file) => file.endsWith(".json"))) return [];
      const own = await hashOf(root, files);
      const used = usedBy(folder).map((name) => declared.get(name));
      return [[folder, digest([common, own, ...used, isPackage(folder) ? "" : module].join("\n"))]];
    }),
  );
  return Object.fromEntries(hashes.flat());
}

const isPackage = (folder) => folder.startsWith("packages/");

/** Names of the packages whose types a folder can see: by the import table, which `npm run check:imports` enforces. */
function usedBy(folder) {
  const name = folder.replace("packages/", "");
  const direct = isPackage(folder)
    ? [...(PACKAGES[name]?.may ?? Object.keys(PACKAGES)), ...(TESTS[name] ?? []), "testing"]
    : [...(SHELLS[folder]?.may ?? Object.keys(PACKAGES)), "testing"];
  const found = new Set();
  const add = (each) => {
    if (found.has(each)) return;
    found.add(each);
    PACKAGES[each].may.forEach(add);
  };
  direct.forEach(add);
  return Object.keys(PACKAGES).filter((each) => found.has(each) && each !== name);
}

async function declarationsOf(root, folder) {
  const files = await filesIn(root, `${folder}/.cache/types`, /\.d\.ts$/);
  if (files.length === 0) throw new Error(`${folder} has no declarations: run npm run check:types`);
  return hashOf(root, files);
}

/** Paths from the top folder, sorted; none if the folder is missing. */
async function filesIn(root, folder, pattern = /./) {
  const entries = await readdir(`${root}/${folder}`, { withFileTypes: true }).catch(() => []);
  const found = await Promise.all(
    entries.map((entry) => {
      const path = `${folder}/${entry.name}`;
      if (!entry.isDirectory()) return pattern.test(entry.name) ? [path] : [];
      return NOT_SOURCES.has(entry.name) ? [] : filesIn(root, path, pattern);
    }),
  );
  return found.flat().sort();
}

async function hashOf(root, files) {
  const lines = await Promise.all(
    files.map(async (file) => `${file} ${digest(await readFile(`${root}/${file}`))}`),
  );
  return digest(lines.join("\n"));
}

const digest = (content) => createHash("sha256").update(content).digest("hex");
