import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { root } from "./root.mjs";

const DIST = `${root}/apps/tgo/dist`;

/** Decide what is built, and are no part of it. */
const BUILDERS = ["build", "built-command", "bundle", "direct-imports", "module-api", "root"].map(
  (name) => `scripts/${name}.mjs`,
);

/** A command that runs may still load a part of the build before. */
const KEPT_MS = 24 * 3600 * 1000;

/**
 * Writes the built command, and what it was built of: dist/inputs.json, which apps/tgo/bin/rebuild.mjs compares with the
 * sources at every start. Each file appears at once, and old ones stay for a day: commands run, and build, at the same
 * time.
 * @param files contents by name; only the entry point has a name without a hash of its content
 * @param inputs paths relative to the repository
 * @param began when the build began to read them, in milliseconds
 */
export async function writeBuild({ files, inputs, began }) {
  await mkdir(DIST, { recursive: true });
  const { "tgo.js": entry, ...chunks } = files;
  for (const [name, contents] of Object.entries(chunks)) await writeWhole(name, contents);
  await writeWhole("tgo.js", entry);
  await writeWhole("inputs.json", JSON.stringify(await stampOf(inputs, began)));
  const current = new Set([...Object.keys(files), "inputs.json"]);
  for (const name of await readdir(DIST)) {
    if (current.has(name)) continue;
    const found = await stat(`${DIST}/${name}`).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > KEPT_MS)
      await rm(`${DIST}/${name}`, { force: true });
  }
}

async function writeWhole(name, contents) {
  const temporary = `${DIST}/.${name}.${process.pid}`;
  await writeFile(temporary, contents);
  await rename(temporary, `${DIST}/${name}`);
}

/** Size, time and hash of each input by path. Packages of others change with the lock. */
async function stampOf(inputs, began) {
  const own = [...inputs].filter((path) => /^(?:apps|packages|pipelines)[/]/.test(path));
  const paths = [...new Set([...own, ...BUILDERS, "package-lock.json"])].sort();
  const entries = paths.map(async (path) => {
    const file = `${root}/${path}`;
    const { size, mtimeMs } = await stat(file);
    const contents = await readFile(file);
    // Changed while it was built: whether before or after it was read is unknown.
    const sha256 = mtimeMs >= began ? "" : createHash("sha256").update(contents).digest("hex");
    return [path, { size, mtimeMs: sha256 === "" ? 0 : mtimeMs, sha256 }];
  });
  return Object.fromEntries(await Promise.all(entries));
}
