import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { build } from "esbuild";
import { root } from "./root.mjs";

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  write: false,
  legalComments: "none",
  logLevel: "error",
};

/** The program that stages run inside containers, as one file of text. */
export async function bundleTools() {
  const result = await build({
    ...common,
    entryPoints: ["packages/builders/src/container-tools/main.ts"],
    minify: true,
  });
  return result.outputFiles[0].text;
}

/** Lets code import the tools program and scripts of other languages as text. */
export const textPlugin = {
  name: "tgo-text",
  setup(builder) {
    builder.onResolve({ filter: /^tgo:tools$/ }, () => ({ path: "tools", namespace: "tgo" }));
    builder.onLoad({ filter: /.*/, namespace: "tgo" }, async () => ({
      contents: await bundleTools(),
      loader: "text",
    }));
  },
};

const PLACEHOLDER = "0000000000000000";

/** lib/core.js, with the hash of its own code in it. */
export async function bundleCore() {
  const result = await build({
    ...common,
    entryPoints: ["pipelines/tgo/core.ts"],
    external: ["@dagger.io/dagger"],
    loader: { ".py": "text", ".sh": "text" },
    plugins: [textPlugin],
    banner: { js: "// Made by npm run generate from pipelines/tgo/core.ts. Do not edit." },
  });
  const text = result.outputFiles[0].text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return text.replace(`"${PLACEHOLDER}"`, `"${hash}"`);
}

/** Libraries written for require() get one: the command line's parser is such a library. */
const requireShim = `import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);`;

/** Parts of the SDK that the command never uses: what they load is 100 MB of memory and half a second at each start. */
const UNUSED = {
  // The entry point of modules, with the TypeScript compiler.
  "module/entrypoint/entrypoint.js": "export const entrypoint = undefined;",
  // The SDK's traces, sent only where OTEL_ variables are set, with every exporter there is.
  "telemetry/init.js": "export class DaggerOtelConfigurator { initialize() {} async close() {} }",
};

/** The SDK's own files without its unused parts. What the SDK depends on stays outside. */
export const sdkPlugin = {
  name: "tgo-sdk",
  setup(builder) {
    const sdk = /[\\/]@dagger\.io[\\/]dagger[\\/]dist[\\/]/;
    builder.onResolve({ filter: /^[^./]/ }, ({ importer, path }) =>
      sdk.test(importer) ? { path, external: true } : undefined,
    );
    builder.onLoad({ filter: /[\\/]dagger[\\/]dist[\\/]src[\\/].*\.js$/ }, ({ path }) => {
      const unused = Object.keys(UNUSED).find((part) => path.replaceAll("\\", "/").endsWith(`/${part}`));
      return unused === undefined ? undefined : { contents: UNUSED[unused] };
    });
  },
};

/**
 * apps/tgo/dist: the command with the module's own classes in it. Split, so that help and usage errors load
 * neither the stages nor the engine.
 */
export async function bundleCli() {
  await rm(`${root}/apps/tgo/dist`, { recursive: true, force: true });
  await build({
    ...common,
    write: true,
    entryPoints: { tgo: "apps/tgo/src/main.ts" },
    outdir: "apps/tgo/dist",
    splitting: true,
    external: ["graphql"],
    loader: { ".py": "text", ".sh": "text" },
    plugins: [textPlugin, sdkPlugin],
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    banner: { js: requireShim },
  });
}
