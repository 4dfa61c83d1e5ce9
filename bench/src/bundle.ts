import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { sdkPlugin, textPlugin } from "../../scripts/bundle.mjs";

/** For libraries that call require(). */
const REQUIRE = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Bundles the child process into one file, as the `tgo` command is bundled: packages import scripts of other languages
 * as text, and a measured process must not load a TypeScript loader first.
 * @returns the file's path
 */
export async function bundleChild(): Promise<string> {
  const outfile = fileURLToPath(new URL("../dist/child.mjs", import.meta.url));
  await build({
    absWorkingDir: ROOT,
    entryPoints: ["bench/src/child.ts"],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["graphql"],
    loader: { ".py": "text", ".sh": "text", ".txt": "text" },
    plugins: [textPlugin, sdkPlugin],
    banner: { js: REQUIRE },
    legalComments: "none",
    logLevel: "error",
  });
  return outfile;
}
