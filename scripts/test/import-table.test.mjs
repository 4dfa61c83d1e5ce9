import { readdir, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { PACKAGES, SDK, SHELLS } from "../import-table.mjs";
import { root, workspaces } from "../root.mjs";

const NAMES = Object.keys(PACKAGES);

describe("the import table", () => {
  it("lists packages in order: each imports only from above itself", () => {
    for (const [index, name] of NAMES.entries())
      for (const other of PACKAGES[name].may)
        expect(NAMES.indexOf(other), `${name}: ${other}`).toBeLessThan(index);
  });

  it("is the one in docs/background/architecture.md", async () => {
    const page = await readFile(`${root}/docs/background/architecture.md`, "utf8");
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
  // turbo.json names what the tasks use of scripts/, and pipelines/tgo/turbo.json the module's dependencies: the
  // module's package.json is for Dagger.
  const folders = workspaces().filter((folder) => folder !== "scripts" && !folder.startsWith("pipelines/"));

  it.each(folders)(
    "lists what %s imports of the others: turbo orders and caches tasks by that",
    async (folder) => {
      const { name, dependencies, devDependencies } = await readJson(`${folder}/package.json`);
      const sources = ["packages/", "apps/"].some((parent) => folder.startsWith(parent)) ? "src/" : "";
      const missing = new Set();
      for (const file of await readdir(`${root}/${folder}`, { recursive: true })) {
        if (!file.endsWith(".ts") || /(^|\/)(node_modules|dist|[.]cache|fixtures)\//.test(file)) continue;
        const listed = [
          dependencies,
          ...(file.startsWith(sources) ? [] : [devDependencies, { "@tgo/testing": "" }]),
        ];
        const text = await readFile(`${root}/${folder}/${file}`, "utf8");
        for (const [, other] of text.matchAll(/^(?:import|export|\} from)\b.*"(@tgo\/[a-z-]+)";$/gm))
          if (other !== name && !listed.some((each) => each !== undefined && other in Object(each)))
            missing.add(other);
      }
      expect([...missing]).toEqual([]);
    },
  );
});

const readJson = async (path) => JSON.parse(await readFile(`${root}/${path}`, "utf8"));

const namesIn = (text) =>
  [...text.matchAll(/`([\w-]+)`/g)]
    .map(([, name]) => name)
    .filter((name) => name !== SDK && NAMES.includes(name));
