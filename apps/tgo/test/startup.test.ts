import { build, type Metafile } from "esbuild";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commandName } from "../src/command-process.js";

const PACKAGE = dirname(fileURLToPath(new URL(".", import.meta.url)));

/** Everything loaded before the command's first line runs. */
function loadedAtStart(metafile: Metafile): { inputs: string[]; externals: string[] } {
  const outputs = metafile.outputs;
  const entry = Object.keys(outputs).find((path) => outputs[path]?.entryPoint?.endsWith("src/main.ts"));
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
  visit(entry ?? "");
  return {
    inputs: [...seen].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {})),
    externals: [...externals].filter((name) => !name.startsWith("node:")),
  };
}

it("loads neither the SDK nor schemas nor an engine for --help: help must appear at once", async () => {
  const { metafile } = await build({
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
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
  });
  const { inputs, externals } = loadedAtStart(metafile);
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
