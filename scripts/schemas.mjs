import { build } from "esbuild";
import { root } from "./root.mjs";

/** The JSON Schemas of the override file, of a service's definition and of the base lock, from the zod schemas. */
export async function catalogSchemas() {
  const { z, BaseLock, CatalogOverride, Service } = await evaluate(`
    import * as z from "zod/mini";
    import { BaseLock, CatalogOverride, Service } from "@tgo/catalog";
    export { z, BaseLock, CatalogOverride, Service };
  `);
  const text = (schema) => JSON.stringify(z.toJSONSchema(schema, { io: "input" }), null, 2) + "\n";
  return {
    "packages/catalog/schema/tgo.catalog.schema.json": text(CatalogOverride),
    "packages/catalog/schema/service.schema.json": text(Service),
    "packages/catalog/schema/tgo.bases.schema.json": text(BaseLock),
  };
}

/** Evaluates TypeScript that imports packages, without writing a file. */
async function evaluate(contents) {
  const result = await build({
    stdin: { contents, resolveDir: `${root}/packages/catalog`, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    logLevel: "error",
  });
  return import(`data:text/javascript;base64,${Buffer.from(result.outputFiles[0].text).toString("base64")}`);
}
