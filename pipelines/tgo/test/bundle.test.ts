import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

/** A file of the bundle. */
const part = (name: string): Promise<string> =>
  readFile(new URL(`../lib/${name}.js`, import.meta.url), "utf8");

/** A file with all that it imports: esbuild puts what parts share into files of their own. */
async function loaded(name: string, seen = new Set(["programs"])): Promise<string> {
  if (seen.has(name)) return "";
  seen.add(name);
  const text = await part(name);
  const texts = [text];
  for (const [, other = ""] of text.matchAll(/^(?:import|\}) .*"[.][/]([\w-]+)[.]js";$/gm))
    texts.push(await loaded(other, seen));
  return texts.join("\n");
}

/** What every call loads. */
const core = await loaded("core");

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

  it("loads functions on images, those on releases, the reader of layers and Sigstore when they are needed", async () => {
    const own = {
      attest: "// packages/attestation/src/sign/key-signer.ts",
      images: "// packages/inspection/src/",
      layers: "// packages/image/src/link/prove-links.ts",
      releases: "// packages/publishing/src/release/",
    };
    for (const name of ["attest", "images", "layers", "releases"] as const) {
      expect(await loaded(name)).toContain(own[name]);
      expect(core).not.toContain(own[name]);
      expect(core).toContain(`import("./${name}.js")`);
    }
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
    for (const text of [await part("core"), await part("common"), types])
      expect(text.split("\n")[0]).toContain("@generated");
    for (const file of ["*.js", "core.d.ts", "core.d.ts.map"])
      expect(attributes).toContain(`lib/${file} linguist-generated -diff\n`);
  });
});
