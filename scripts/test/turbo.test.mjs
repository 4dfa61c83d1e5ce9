import { readdir, readFile } from "node:fs/promises";
import { build } from "esbuild";
import ts from "typescript";
import { expect, it } from "vitest";
import { textPlugin } from "../bundle.mjs";
import { root } from "../root.mjs";

const ROOT = "$TURBO_ROOT$/";

/** turbo.json has comments. */
const readConfig = async (path) =>
  ts.parseConfigFileTextToJson(path, await readFile(`${root}/${path}`, "utf8")).config;

/** The files of this repository whose code is in a bundle of the tests. */
async function filesRunBy(entryPoints) {
  const libraries = {
    name: "libraries",
    setup(builder) {
      builder.onResolve({ filter: /^[^./]/ }, ({ kind, path }) =>
        kind === "entry-point" || /^(@tgo\/|tgo:)/.test(path) ? undefined : { path, external: true },
      );
    },
  };
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    bundle: true,
    write: false,
    metafile: true,
    outdir: "bundle",
    platform: "node",
    format: "esm",
    loader: { ".py": "text", ".sh": "text", ".txt": "text" },
    plugins: [libraries, textPlugin],
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  return [...new Set(used.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([file]) => file))];
}

/** Folders of a package and of all it depends on. */
async function foldersOf(name) {
  const folder = `packages/${name}`;
  const { dependencies = {} } = JSON.parse(await readFile(`${root}/${folder}/package.json`, "utf8"));
  const names = Object.keys(dependencies).flatMap((each) => /^@tgo\/(.+)$/.exec(each)?.[1] ?? []);
  return [folder, ...(await Promise.all(names.map(foldersOf))).flat()];
}

it.each([
  ["builders", 100],
  ["proof", 4],
])(
  "the integration tests of %s run no file that their task does not have as an input",
  async (name, atLeast) => {
    const folder = `packages/${name}`;
    const tests = (await readdir(`${root}/${folder}/test`, { recursive: true }))
      .filter((file) => file.endsWith(".test.itg.ts"))
      .map((file) => `${folder}/test/${file}`);
    const { dependsOn, inputs } = (await readConfig(`${folder}/turbo.json`)).tasks.integration;
    const dependencies = dependsOn.flatMap((task) => /^@tgo\/(.+)#transit$/.exec(task)?.[1] ?? []);
    const covered = [
      `${folder}/`,
      ...(await Promise.all(dependencies.map(foldersOf))).flat().map((each) => `${each}/`),
      ...inputs
        .filter((input) => input.startsWith(ROOT))
        .map((input) => input.slice(ROOT.length).replace(/\*\*$/, "")),
    ];
    const run = (await filesRunBy(tests)).filter((file) => file.startsWith("packages/"));
    expect(run.length).toBeGreaterThan(atLeast);
    expect(run.filter((file) => !covered.some((each) => file.startsWith(each)))).toEqual([]);
  },
);
