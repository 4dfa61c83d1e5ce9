import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const core = await readFile(new URL("../lib/core.js", import.meta.url), "utf8");

/** The source files that esbuild names above their code. */
const files = [...core.matchAll(/^\/\/ ((?:node_modules|packages|pipelines)\/.*)$/gm)].map(
  ([, file]) => file,
);

describe("the bundle", () => {
  it("has no more than 700 kB", () => {
    expect(Buffer.byteLength(core)).toBeLessThanOrEqual(700_000);
  });

  it("has the programs that run inside containers as they are, in a file of their own", async () => {
    const programs = Object.entries(
      (await import(new URL("../lib/programs.js", import.meta.url).href)) as Record<string, string>,
    );
    const sources = await readFile(new URL("../lib/programs.js", import.meta.url), "utf8");
    const paths = [...sources.matchAll(/^\/\*\* (packages\/.+\.(?:py|sh|txt)) \*\/$/gm)].map(
      ([, path]) => path,
    );
    expect(paths.length).toBe(programs.length - 1);
    for (const path of paths) {
      const text = await readFile(new URL(`../../../${path ?? ""}`, import.meta.url), "utf8");
      expect(programs.map(([, program]) => program)).toContain(text);
    }
  });

  it("has the reader of layers in a file of its own, which only a deep verification loads", async () => {
    const layers = await readFile(new URL("../lib/layers.js", import.meta.url), "utf8");
    const own = ["packages/image/src/layers/tar-reader.ts", "packages/image/src/link/prove-links.ts"];
    for (const file of own) {
      expect(layers).toContain(`// ${file}`);
      expect(files).not.toContain(file);
    }
    expect(core).toContain('import("./layers.js")');
    const loaded: unknown = await import(new URL("../lib/layers.js", import.meta.url).href);
    expect(loaded).toHaveProperty("verifyElf");
  });

  it("names no path of the machine that built it", () => {
    expect(core).not.toContain(fileURLToPath(new URL("../../..", import.meta.url)));
    expect(core).not.toMatch(/^\/\/ (?:[\w-]+:)?\//m);
  });

  it("has of valibot only what its schemas use, and no JSON Schema code", () => {
    expect(files).toContain("packages/functions/src/pipelines.ts");
    expect(files.filter((file) => file?.includes("json-schema"))).toEqual([]);
    expect(core).toContain("function safeParse(");
    expect(core).not.toMatch(/function (?:strictTuple|creditCard|safeParseAsync)\(/);
  });

  it("leaves npm's ranges to the container tools", () => {
    expect(files).toContain("node_modules/semver/classes/semver.js");
    expect(files).not.toContain("node_modules/semver/classes/range.js");
  });

  it("and its types are marked as generated", async () => {
    const types = await readFile(new URL("../lib/core.d.ts", import.meta.url), "utf8");
    const attributes = await readFile(new URL("../.gitattributes", import.meta.url), "utf8");
    for (const text of [core, types]) expect(text.split("\n")[0]).toContain("@generated");
    for (const file of ["core.js", "core.d.ts", "core.d.ts.map", "layers.js", "programs.js"])
      expect(attributes).toContain(`lib/${file} linguist-generated -diff\n`);
  });
});
