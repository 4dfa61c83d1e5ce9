import { readFile } from "node:fs/promises";
import { cruise } from "dependency-cruiser";
import { describe, expect, it } from "vitest";
import config from "../../.dependency-cruiser.mjs";
import { PACKAGES, SDK, SHELLS } from "../import-table.mjs";
import { root, workspaces } from "../root.mjs";

const NAMES = Object.keys(PACKAGES);

describe("the import table", () => {
  it("lists packages in order: each imports only from above itself", () => {
    for (const [index, name] of NAMES.entries())
      for (const other of PACKAGES[name].may)
        expect(NAMES.indexOf(other), `${name}: ${other}`).toBeLessThan(index);
  });

  it("is the one in docs/architecture.md", async () => {
    const page = await readFile(`${root}/docs/architecture.md`, "utf8");
    const rows = [...page.matchAll(/^\| (`?[\w, -]+`?) +\| (.+?) +\|$/gm)].map(([, name, text]) => [
      name.replaceAll("`", "").trim(),
      text,
    ]);
    const written = Object.fromEntries(rows.filter(([name]) => NAMES.includes(name)));
    expect(Object.keys(written)).toEqual(NAMES);
    for (const [name, text] of Object.entries(written)) {
      const above = NAMES.slice(0, NAMES.indexOf(name));
      const listed = text.startsWith("all of the above") ? above : namesIn(text.split(";")[0]);
      expect([name, ...listed].sort()).toEqual([name, ...PACKAGES[name].may].sort());
      if (!text.startsWith("all of the above"))
        expect([name, text.includes("Dagger SDK")]).toEqual([name, PACKAGES[name].sdk === true]);
    }
    const shells = rows.find(([name]) => name === "apps, pipelines")?.[1] ?? "";
    expect(namesIn(shells).sort()).toEqual([...SHELLS["apps/tgo"].may].sort());
  });
});

describe("the package.json of every package", () => {
  it("lists what the package imports of the others: turbo orders and caches its tasks by that", async () => {
    // turbo.json names what the tasks use of scripts/, and pipelines/tgo/turbo.json the module's dependencies: the
    // module's package.json is for Dagger.
    const folders = workspaces().filter((folder) => folder !== "scripts" && !folder.startsWith("pipelines/"));
    const { output } = await cruise(
      folders,
      {
        baseDir: root,
        tsPreCompilationDeps: true,
        doNotFollow: { path: "node_modules" },
        exclude: { path: "/(dist|[.]cache|fixtures)/" },
      },
      config.options.enhancedResolveOptions,
    );
    const manifests = new Map(
      await Promise.all(
        folders.map(async (folder) => [
          folder,
          JSON.parse(await readFile(`${root}/${folder}/package.json`, "utf8")),
        ]),
      ),
    );
    const folderOf = (file) => folders.find((folder) => file.startsWith(`${folder}/`));
    const missing = new Set();
    for (const { source, dependencies } of output.modules) {
      const from = folderOf(source);
      if (from === undefined) continue;
      const inTests = !source.startsWith(`${from}/src/`);
      const { dependencies: own, devDependencies } = manifests.get(from);
      const listed = { ...own, ...(inTests ? { "@tgo/testing": "", ...devDependencies } : {}) };
      for (const { resolved } of dependencies) {
        const to = folderOf(resolved);
        const name = manifests.get(to)?.name;
        if (to !== undefined && to !== from && !(name in listed)) missing.add(`${from}: ${name}`);
      }
    }
    expect([...missing]).toEqual([]);
  });
});

const namesIn = (text) =>
  [...text.matchAll(/`([\w-]+)`/g)]
    .map(([, name]) => name)
    .filter((name) => name !== SDK && NAMES.includes(name));
