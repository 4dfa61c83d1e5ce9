import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { sdkPlugin, textPlugin } from "../../scripts/bundle.mjs";

/** Libraries written for require() get one. */
const REQUIRE = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/**
 * The measuring process as one file, bundled as the `tgo` command is: the stages hold scripts of other languages as
 * text, and what is measured should not load TypeScript first.
 * @returns its path
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
    loader: { ".py": "text", ".sh": "text" },
    plugins: [textPlugin, sdkPlugin],
    banner: { js: REQUIRE },
    legalComments: "none",
    logLevel: "error",
  });
  return outfile;
}
