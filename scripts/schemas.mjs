import { toJsonSchema } from "@valibot/to-json-schema";
import { build } from "esbuild";
import { root } from "./root.mjs";

/** The JSON Schemas of the override file, of a service's definition and of the base lock, from the valibot schemas. */
export async function catalogSchemas() {
  const { BaseLock, CatalogOverride, ServiceFile } = await evaluate(`
    import { description, pipe } from "@tgo/schemas";
    import { BaseLock, CatalogOverride, Service } from "@tgo/catalog";
    const ServiceFile = pipe(Service, description("A service and how its image is built, configured and checked."));
    export { BaseLock, CatalogOverride, ServiceFile };
  `);
  return {
    "packages/catalog/schema/tgo.catalog.schema.json": textOf(CatalogOverride),
    "packages/catalog/schema/service.schema.json": textOf(ServiceFile),
    "packages/catalog/schema/tgo.bases.schema.json": textOf(BaseLock),
  };
}

function textOf(schema) {
  const json = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    // What only code can check, and what only a reader of the value needs.
    ignoreActions: ["check", "transform"],
    // An empty list says nothing.
    overrideSchema: ({ jsonSchema }) => {
      if (jsonSchema.required?.length > 0) return undefined;
      const rest = { ...jsonSchema };
      delete rest.required;
      return rest;
    },
  });
  return JSON.stringify(json, null, 2) + "\n";
}

/** Evaluates TypeScript that imports packages, without writing a file. */
export async function evaluate(contents, resolveDir = `${root}/packages/catalog`) {
  const result = await build({
    stdin: { contents, resolveDir, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "esm",
    write: false,
    logLevel: "error",
    // CommonJS libraries require Node's own modules.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire("file:///");' },
  });
  return import(`data:text/javascript;base64,${Buffer.from(result.outputFiles[0].text).toString("base64")}`);
}
