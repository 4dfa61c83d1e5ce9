import { execFile, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { MemoryRegistry, serveMemory, stageImage } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../root.mjs";

const execute = promisify(execFile);

let folder;
/** An empty project into which the packed packages are installed, without a network. */
let consumer;
let tarballs;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-packed-"));
  consumer = join(folder, "consumer");
  const packed = join(folder, "packed");
  await mkdir(consumer);
  await execute("node", [join(root, "scripts/pack.mjs"), packed]);
  // The libraries that they depend on, as the npm registry would give them.
  const libraries = await Promise.all(
    ["canonicalize", "p-limit", "valibot", "yocto-queue"].map(libraryFolder),
  );
  const pack = ["pack", "--silent", "--ignore-scripts", "--pack-destination", packed, ...libraries];
  await execute("npm", pack, { cwd: root });
  tarballs = await readdir(packed);
  await writeFile(join(consumer, "package.json"), JSON.stringify({ type: "module", private: true }));
  const install = ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
  await execute("npm", [...install, ...tarballs.map((name) => join(packed, name))], { cwd: consumer });
}, 120_000);

/** The version that packages/registry has of a library: the root may have another one, of a tool. */
async function libraryFolder(name) {
  const folders = ["packages/registry/node_modules", "packages/image/node_modules", "node_modules"];
  const found = folders.map((folder) => join(root, folder, name)).find((path) => existsSync(path));
  return found ?? Promise.reject(new Error(`${name} is not installed`));
}

afterAll(() => rm(folder, { recursive: true, force: true }));

const installed = (name) => join(consumer, "node_modules", name);
const manifestOf = (name) => JSON.parse(readFileSync(join(installed(name), "package.json"), "utf8"));

/** Runs a program in the project. */
async function run(text) {
  await writeFile(join(consumer, "program.js"), text);
  return execute(process.execPath, ["program.js"], { cwd: consumer });
}

describe("installed from tarballs in an empty folder", () => {
  it("the clients verify an image, from JavaScript", async () => {
    const memory = new MemoryRegistry("localhost");
    const platforms = ["linux/amd64", "linux/arm64"];
    const { digest } = await stageImage(
      memory.client(),
      "t/app",
      "1",
      platforms.map((platform) => ({ platform })),
    );
    const { host, stop } = await serveMemory(memory);
    try {
      const { stdout } = await run(`
        import { parseReference, Registry } from "@tgo/registry";
        import { verifyImage } from "@tgo/image";
        const { host, repository, tag } = parseReference("${host}/t/app:1");
        const target = { name: "here", registry: new Registry({ host }), repository, reference: tag };
        const { ok, digest } = await verifyImage({ targets: [target], platforms: ${JSON.stringify(platforms)}, elf: true });
        console.log(JSON.stringify({ ok, digest }));
      `);
      expect(JSON.parse(stdout)).toEqual({ ok: true, digest });
    } finally {
      await stop();
    }
  });

  it("the clients have types, without help of others' packages", async () => {
    await writeFile(
      join(consumer, "consumer.ts"),
      `import { verifyImage, type Verification } from "@tgo/image";
       import { isIndex, parseReference, Registry, type Descriptor } from "@tgo/registry";
       const registry = new Registry({ host: parseReference("ghcr.io/a/b:1").host });
       const { value } = await registry.manifest("a/b", "1");
       export const children: readonly Descriptor[] = isIndex(value) ? value.manifests : [];
       const target = { name: "ghcr", registry, repository: "a/b", reference: "1" };
       export const verification: Verification = await verifyImage({ targets: [target], platforms: ["linux/arm64"] });
       // @ts-expect-error a registry has a host
       new Registry({});
       // @ts-expect-error not any
       export const text: string = verification.ok;`,
    );
    const options = {
      ...{ strict: true, noEmit: true, skipLibCheck: true, exactOptionalPropertyTypes: true },
      ...{ target: "es2023", module: "nodenext", types: ["node"] },
      typeRoots: [join(root, "node_modules/@types")],
    };
    await writeFile(
      join(consumer, "tsconfig.json"),
      JSON.stringify({ compilerOptions: options, files: ["consumer.ts"] }),
    );
    const { stdout } = spawnSync("node", [join(root, "node_modules/typescript/bin/tsc"), "-p", consumer], {
      encoding: "utf8",
    });
    expect(stdout).toBe("");
  }, 60_000);

  it("the command runs", async () => {
    const { stdout } = await execute(join(consumer, "node_modules/.bin/tgo"), ["services"], {
      cwd: consumer,
    });
    expect(stdout).toContain("tgo-api");
  });

  it.each(["@tgo/registry", "@tgo/image"])(
    "%s imports nothing but its dependencies, in code and types",
    (name) => {
      const known = Object.keys(manifestOf(name).dependencies);
      for (const file of ["index.js", "index.d.ts"]) {
        const text = readFileSync(join(installed(name), "dist", file), "utf8");
        const imports = [...text.matchAll(/^(?:import .*|export .*|\} )from ["'](.+)["'];$/gm)].map(
          ([, path]) => path,
        );
        const others = imports.filter((path) => !path.startsWith("node:"));
        expect(known).toEqual(expect.arrayContaining(others));
        expect(imports.length).toBeGreaterThan(0);
      }
    },
  );

  it.each(["@tgo/registry", "@tgo/image", "@tgo/tgo"])("%s can be published as it is", (name) => {
    const { private: isPrivate, scripts, license, version, dependencies = {}, exports } = manifestOf(name);
    expect({ isPrivate, scripts, license, version }).toEqual({ license: "Apache-2.0", version: "0.1.0" });
    expect(JSON.stringify(exports)).not.toContain("src/");
    // Nothing of this repository that is not packed.
    for (const dependency of Object.keys(dependencies))
      if (dependency.startsWith("@tgo/")) expect(["@tgo/registry"]).toContain(dependency);
    for (const file of ["README.md", "LICENSE"]) expect(existsSync(join(installed(name), file))).toBe(true);
  });

  it("the command names the licenses of what it contains", () => {
    const text = readFileSync(join(installed("@tgo/tgo"), "dist/licenses.txt"), "utf8");
    for (const name of ["@dagger.io/dagger", "commander", "graphql", "valibot"]) expect(text).toContain(name);
    expect(existsSync(join(installed("@tgo/tgo"), "dist/inputs.json"))).toBe(false);
  });
});
