import { build, type Metafile } from "esbuild";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { shellPlugin } from "../../../scripts/bundle.mjs";
import { directImports } from "../../../scripts/direct-imports.mjs";
import { commandName } from "../src/command-process.js";

const PACKAGE = dirname(fileURLToPath(new URL(".", import.meta.url)));

/** Everything loaded before the first line of an entry point, or of a module that is imported when it is needed, runs. */
function loadedWith(entryPoint: string, { outputs }: Metafile): { inputs: string[]; externals: string[] } {
  const entry = Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.endsWith(entryPoint));
  if (entry === undefined) throw new Error(`${entryPoint} is not loaded by itself`);
  const seen = new Set<string>();
  const externals = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { path: target, kind, external } of outputs[path]?.imports ?? []) {
      if (kind !== "import-statement") continue;
      if (external === true) externals.add(target);
      else visit(target);
    }
  };
  visit(entry);
  return {
    inputs: [...seen].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {})),
    externals: [...externals].filter((name) => !name.startsWith("node:")),
  };
}

let metafile: Metafile;
beforeAll(async () => {
  ({ metafile } = await build({
    entryPoints: [join(PACKAGE, "src/main.ts")],
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    outdir: "/nowhere",
    write: false,
    metafile: true,
    logLevel: "error",
    external: ["@dagger.io/dagger", "graphql"],
    loader: { ".py": "text", ".sh": "text", ".txt": "text" },
    plugins: [shellPlugin, directImports],
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  }));
});

it("loads neither the SDK nor schemas nor an engine for --help: help must appear at once", () => {
  const { inputs, externals } = loadedWith("src/main.ts", metafile);
  expect(inputs.some((path) => path.endsWith("src/run.ts"))).toBe(true);
  expect(
    inputs.filter((path) =>
      /node_modules\/valibot|packages\/(?:schemas|local-engine|functions|publishing|builders|proof)\/|pipelines\/tgo\/lib/.test(
        path,
      ),
    ),
  ).toEqual([]);
  expect(externals).not.toContain("@dagger.io/dagger");
  expect(externals).not.toContain("graphql");
});

it("loads the functions without the SDK and the engine: those that need none start at once, as any user", () => {
  const { inputs, externals } = loadedWith("pipelines/tgo/src/index.ts", metafile);
  expect(inputs.some((path) => path.endsWith("pipelines/tgo/lib/core.js"))).toBe(true);
  expect(inputs.filter((path) => /packages\/local-engine\/|node_modules\/graphql/.test(path))).toEqual([]);
  expect(externals).toEqual([]);
});

describe("the command's two names", () => {
  it("start the same program", () => {
    const { bin } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { bin: object };
    expect(bin).toEqual({ tgo: "./bin/tgo.js", "tgo-pipelines": "./bin/tgo.js" });
  });

  it.each([
    ["/repo/node_modules/.bin/tgo-pipelines", "tgo-pipelines"],
    ["/repo/node_modules/.bin/tgo", "tgo"],
    ["/repo/apps/tgo/bin/tgo.js", "tgo"],
    [undefined, "tgo"],
  ])("are told apart by the script's path: %s", (script, name) => {
    expect(commandName(script)).toBe(name);
  });
});

it("says how to build it in a checkout that has not been built", () => {
  const folder = mkdtempSync(join(tmpdir(), "tgo-bin-"));
  try {
    cpSync(join(PACKAGE, "bin"), join(folder, "bin"), { recursive: true });
    cpSync(join(PACKAGE, "package.json"), join(folder, "package.json"));
    expect(() => execFileSync(process.execPath, [join(folder, "bin/tgo.js")], { stdio: "pipe" })).toThrow(
      /run: npm install/,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
