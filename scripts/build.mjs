/**
 * Builds what is generated from the sources.
 *
 * node scripts/build.mjs core           the bundles of the modules: their lib/*.js (committed)
 * node scripts/build.mjs declarations   their types, the API of tgo, the catalog's JSON Schemas, the reference
 *                                       pages made of these, the TypeScript projects and the graph in
 *                                       docs/background/architecture.md (committed)
 * node scripts/build.mjs cli            the `tgo` command: apps/tgo/dist (not committed)
 * node scripts/build.mjs --check        writes nothing; fails if a committed file differs from what would be written
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { bundleCli, bundleCore, MODULES } from "./bundle.mjs";
import { declareCore } from "./declarations.mjs";
import { moduleApi } from "./module-api.mjs";
import { pageWithPackageGraph } from "./package-graph.mjs";
import { referencePages } from "./reference-pages.mjs";
import { root } from "./root.mjs";
import { catalogSchemas } from "./schemas.mjs";
import { typescriptProjects } from "./tsconfigs.mjs";

/** Each returns files' texts by their paths. */
const COMMITTED = {
  core: () => ofModules(bundleCore),
  declarations: async () => {
    const api = await moduleApi();
    const schemas = await catalogSchemas();
    return {
      ...(await ofModules(declareCore)),
      "pipelines/tgo/module-api.json": api,
      ...schemas,
      ...(await referencePages(api, schemas)),
      ...(await typescriptProjects()),
      ...(await pageWithPackageGraph()),
    };
  },
};

const parts = process.argv.slice(2);
const check = parts.includes("--check");
const stale = [];
for (const [part, files] of Object.entries(COMMITTED))
  if (check || parts.includes(part)) {
    const made = await files();
    for (const [path, text] of Object.entries(made)) await write(path, text);
    if (part === "core") for (const folder of MODULES) await removeOthers(`${folder}/lib`, made);
  }
if (parts.includes("cli")) await bundleCli();
if (stale.length > 0) {
  console.error(`Stale: ${stale.join(", ")}\nRun npm run generate and commit the result.`);
  process.exit(1);
}

/** The files of every module. @param make makes those of one, from its folder */
async function ofModules(make) {
  return Object.assign({}, ...(await Promise.all(MODULES.map((folder) => make(folder)))));
}

/** A part that a bundle no longer has would stay in the module, and nothing would load it. */
async function removeOthers(lib, made) {
  for (const name of await readdir(`${root}/${lib}`)) {
    const path = `${lib}/${name}`;
    if (!name.endsWith(".js") || path in made) continue;
    if (check) stale.push(path);
    else await rm(`${root}/${path}`);
  }
}

async function write(path, text) {
  const file = `${root}/${path}`;
  const present = await readFile(file, "utf8").catch(() => undefined);
  if (present === text) return;
  if (check) {
    stale.push(path);
    return;
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
