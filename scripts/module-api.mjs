import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./root.mjs";

const SDK = `${root}/node_modules/@dagger.io/dagger/dist/src`;

/**
 * The text of module-api.json: the module's functions, arguments, defaults and doc texts, as Dagger's own introspector
 * reads them. The `tgo` command is generated from it.
 */
export async function moduleApi() {
  const { scan } = await import(`${SDK}/module/introspector/index.js`);
  const folder = `${root}/pipelines/tgo/src`;
  const files = (await readdir(folder))
    .filter((file) => file.endsWith(".ts"))
    .map((file) => `${folder}/${file}`);
  const core = await coreTypes();
  try {
    const module = JSON.parse(JSON.stringify(await scan([...files, core.file], "tgo", false)));
    return JSON.stringify(apiOf(module), null, 2) + "\n";
  } finally {
    await rm(core.folder, { recursive: true });
  }
}

/**
 * In a module, the introspector finds the core types in the client.gen.ts that the engine generates. The npm package
 * has only its declarations: this writes a file of that name with the same classes and enums.
 */
async function coreTypes() {
  const declarations = await readFile(`${SDK}/api/client.gen.d.ts`, "utf8");
  const names = [...declarations.matchAll(/^export declare (class|enum) (\w+)/gm)];
  const folder = await mkdtemp(join(tmpdir(), "tgo-module-api-"));
  const file = join(folder, "client.gen.ts");
  await writeFile(file, names.map(([, kind, name]) => `export ${kind} ${name} {}`).join("\n"));
  return { folder, file };
}

function apiOf(module) {
  const main = module.objects.Tgo;
  const own = new Set(Object.keys(module.objects));
  const functions = Object.values(main.methods).map(functionOf);
  return {
    name: "tgo",
    description: module.description,
    constructor: { arguments: Object.values(main.constructor.arguments).map(argumentOf) },
    functions: functions.filter((each) => !isForModules(each, own)),
    moduleFunctions: functions.filter((each) => isForModules(each, own)),
    objects: Object.fromEntries(
      Object.values(module.objects).map(({ name, description, properties, methods }) => [
        name,
        {
          description,
          fields: Object.values(properties).map(fieldOf),
          // Those of the main object are above.
          functions: name === main.name ? [] : Object.values(methods).map(functionOf),
        },
      ]),
    ),
    enums: Object.fromEntries(
      Object.values(module.enums).map(({ name, description, values }) => [
        name,
        {
          description,
          values: Object.values(values).map(({ name, value, description }) => ({ name, value, description })),
        },
      ]),
    ),
  };
}

/** Whether a function is of no use in the command: it returns an object of the module's, or reads Dagger's workspace. */
function isForModules({ returns, arguments: list }, own) {
  return own.has(returns.name) || list.some(({ type }) => type.name === "Workspace");
}

function functionOf({ name, description, arguments: list, returnType }) {
  return {
    name,
    command: kebab(name),
    description,
    arguments: Object.values(list).map(argumentOf),
    returns: typeOf(returnType),
  };
}

/** A field of an object: exposed ones are functions for its users, the others state. */
function fieldOf({ name, description, type, isExposed }) {
  return { name, ...(isExposed ? { exposed: true, description } : {}), type: typeOf(type) };
}

function argumentOf(argument) {
  const { name, description, type, isOptional, defaultValue, defaultPath, ignore } = argument;
  return {
    name,
    flag: kebab(name),
    description,
    type: typeOf(type),
    optional: isOptional || defaultValue !== undefined,
    ...(defaultValue === undefined ? {} : { default: defaultValue }),
    ...(defaultPath === undefined ? {} : { contextual: { defaultPath, ignore } }),
  };
}

const KINDS = {
  STRING_KIND: "string",
  INTEGER_KIND: "integer",
  BOOLEAN_KIND: "boolean",
  ENUM_KIND: "enum",
  OBJECT_KIND: "object",
  LIST_KIND: "list",
  VOID_KIND: "void",
};

function typeOf({ kind, name, typeDef }) {
  if (KINDS[kind] === undefined) throw new Error(`the tgo command has no flag for values of type ${kind}`);
  return {
    kind: KINDS[kind],
    ...(name === undefined ? {} : { name }),
    ...(typeDef === undefined ? {} : { of: typeOf(typeDef) }),
  };
}

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
