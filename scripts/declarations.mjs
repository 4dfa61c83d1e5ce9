import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";
import { root } from "./root.mjs";

/** lib/core.d.ts: the bundle's types in one file, with the SDK's own imported. */
export async function declareCore() {
  const bundle = await rollup({
    input: `${root}/pipelines/tgo/core.ts`,
    external: (id) => id === "@dagger.io/dagger" || id.startsWith("node:") || id.endsWith(".json"),
    plugins: [dts({ tsconfig: `${root}/tsconfig.json`, respectExternal: true })],
  });
  const { output } = await bundle.generate({ format: "es" });
  return `// Made by npm run generate from pipelines/tgo/core.ts. Do not edit.\n${output[0].code}`;
}
