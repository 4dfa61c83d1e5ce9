/**
 * Makes what is made from source: the module's bundle (pipelines/tgo/lib, committed), its surface and the
 * catalog's JSON Schemas (committed), and the `tgo` command (apps/tgo/dist, not committed).
 *
 * node scripts/build.mjs [--check]   with --check nothing is written: it fails where a committed file is not what
 * its source makes.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { bundleCli, bundleCore } from "./bundle.mjs";
import { declareCore } from "./declarations.mjs";
import { root } from "./root.mjs";
import { catalogSchemas } from "./schemas.mjs";
import { moduleSurface } from "./module-api.mjs";

const check = process.argv.includes("--check");
const stale = [];

async function put(path, text) {
  const file = `${root}/${path}`;
  const present = await readFile(file, "utf8").catch(() => undefined);
  if (present === text) return;
  if (check) {
    stale.push(relative(root, file));
    return;
  }
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

await put("pipelines/tgo/lib/core.js", await bundleCore());
if (check || process.argv.includes("--all")) {
  await put("pipelines/tgo/lib/core.d.ts", await declareCore());
  await put("pipelines/tgo/module-api.json", await moduleSurface());
  for (const [path, text] of Object.entries(await catalogSchemas())) await put(path, text);
}
if (!check) await bundleCli();

if (stale.length > 0) {
  console.error(
    `Not what their sources make: ${stale.join(", ")}\nRun npm run generate and commit the result.`,
  );
  process.exit(1);
}
