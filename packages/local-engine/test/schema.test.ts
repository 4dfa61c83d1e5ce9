import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  buildSchema,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isRequiredArgument,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
} from "graphql";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { FIELDS } from "../src/api/api.js";
import { SDL } from "../src/api/schema.graphql.js";

const ours = buildSchema(SDL);
const objects = Object.values(ours.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith("__"),
);

/** The real engine's schema, if it is available here; the SDK's generated client always is. */
const FILE =
  process.env.TGO_DAGGER_SCHEMA ??
  join(import.meta.dirname, "../../../../shared/dagger/schema-v0.21.8.graphql");
console.info(
  `schema test: compared with the SDK's client${existsSync(FILE) ? ` and ${FILE}` : " (set TGO_DAGGER_SCHEMA to compare with the engine's schema too)"}`,
);

describe("the schema", () => {
  it("has a resolver for each field", () => {
    for (const type of objects)
      for (const field of Object.keys(type.getFields()))
        if (field !== "id") expect(FIELDS[type.name]).toHaveProperty(field);
  });
});

describe("the schema, compared with the SDK's generated client", () => {
  const sdk = readSdk();
  const fields = objects.flatMap((type) =>
    Object.values(type.getFields())
      // The SDK implements node(id:) itself.
      .filter((field) => !(type.name === "Query" && field.name === "node"))
      .map((field) => ({ name: `${type.name}.${field.name}`, type, field })),
  );

  it.each(fields)("$name has the same arguments and type", ({ type, field }) => {
    expect(signature(field)).toEqual(sdk.method(type.name === "Query" ? "Client" : type.name, field.name));
  });

  it("has the same enum values", () => {
    for (const type of Object.values(ours.getTypeMap()))
      if (isEnumType(type) && !type.name.startsWith("__"))
        expect(new Set(type.getValues().map(({ name }) => name.replaceAll("_", "").toLowerCase()))).toEqual(
          sdk.members(type.name),
        );
  });
});

describe.runIf(existsSync(FILE))("the schema, compared with the real engine's schema", () => {
  const real = buildSchema(existsSync(FILE) ? readFileSync(FILE, "utf8") : "type Query { version: String! }");

  it.each(objects.map((type) => ({ name: type.name, type })))(
    "$name has no other interfaces, and the same fields, arguments and defaults",
    ({ type }) => {
      const theirs = real.getType(type.name) as GraphQLObjectType;
      expect(theirs.getInterfaces().map(String)).toEqual(
        expect.arrayContaining(type.getInterfaces().map(String)),
      );
      const shape = (of: GraphQLObjectType): Record<string, unknown> =>
        Object.fromEntries(
          Object.values(type.getFields()).map(({ name, args }) => {
            const field = of.getFields()[name];
            const served =
              field?.args.filter((argument) => args.some((own) => own.name === argument.name)) ?? [];
            return [
              name,
              {
                type: String(field?.type),
                arguments: served
                  .map((a) => `${a.name}: ${String(a.type)} = ${JSON.stringify(a.defaultValue)}`)
                  .sort(),
              },
            ];
          }),
        );
      expect(shape(type)).toEqual(shape(theirs));
    },
  );

  it("has the same enums, and the fields of the inputs", () => {
    for (const type of Object.values(ours.getTypeMap())) {
      const theirs = real.getType(type.name);
      if (isEnumType(type) && isEnumType(theirs) && !type.name.startsWith("__"))
        expect(type.getValues().map(({ name }) => name)).toEqual(theirs.getValues().map(({ name }) => name));
      if (isInputObjectType(type) && isInputObjectType(theirs))
        expect(Object.values(theirs.getFields()).map((f) => `${f.name}: ${String(f.type)}`)).toEqual(
          expect.arrayContaining(Object.values(type.getFields()).map((f) => `${f.name}: ${String(f.type)}`)),
        );
    }
  });

  it("leaves out no required argument", () => {
    for (const type of objects)
      for (const { name, args } of Object.values(type.getFields())) {
        const theirs = (real.getType(type.name) as GraphQLObjectType).getFields()[name];
        const required =
          theirs?.args.filter((argument) => isRequiredArgument(argument)).map((argument) => argument.name) ??
          [];
        expect(args.map((argument) => argument.name)).toEqual(expect.arrayContaining(required));
      }
  });
});

interface Signature {
  /** Name and type, in order. */
  readonly positional: readonly string[];
  readonly options: readonly string[];
  readonly returns: string;
}

/** A field as the SDK's generator renders it: https://github.com/dagger/dagger/tree/v0.21.8/cmd/codegen/generator/typescript */
function signature({ args, type, name }: GraphQLField<unknown, unknown>): Signature {
  const render = (argument: GraphQLArgument): string =>
    `${argument.name}: ${typescriptType(String(argument.type))}`;
  const isOneObject = isObjectType(ours.getType(String(type).replace(/!$/, "")));
  const returned = ["sync", "start", "stop"].includes(name) ? "self" : typescriptType(String(type));
  return {
    positional: args.filter((argument) => isRequiredArgument(argument)).map(render),
    options: args
      .filter((argument) => !isRequiredArgument(argument))
      .map(render)
      .sort(),
    returns: isOneObject || returned === "self" ? returned : `Promise<${returned}>`,
  };
}

/** The TypeScript type for a GraphQL type such as `[String!]!`. */
function typescriptType(type: string): string {
  const bare = type.replace(/!$/, "");
  const [, item] = /^\[(.*)\]$/.exec(bare) ?? [];
  if (item !== undefined) return `${typescriptType(item)}[]`;
  const scalars: Record<string, string> = { String: "string", Int: "number", Boolean: "boolean" };
  return scalars[bare] ?? bare;
}

/** A declared method of the SDK's client. */
interface Declared {
  readonly parameters: readonly {
    readonly name: string;
    readonly type: string;
    readonly optional: boolean;
  }[];
  readonly returns: string;
}

/** The SDK's declarations, parsed by the compiler. Their classes for arguments of type ID are renamed to ID. */
function readSdk() {
  const file = createRequire(import.meta.url)
    .resolve("@dagger.io/dagger")
    .replace(/index\.js$/, "api/client.gen.d.ts");
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  const methods = new Map<string, Declared>();
  const options = new Map<string, readonly { name: string; type: string }[]>();
  const enums = new Map<string, ReadonlySet<string>>();
  for (const statement of source.statements) {
    const name = "name" in statement ? (statement as ts.ClassDeclaration).name?.text : undefined;
    if (name === undefined) continue;
    if (ts.isClassDeclaration(statement))
      for (const member of statement.members)
        if (ts.isPropertyDeclaration(member) && member.type && ts.isFunctionTypeNode(member.type))
          methods.set(`${name}.${member.name.getText()}`, {
            parameters: member.type.parameters.map((parameter) => ({
              name: parameter.name.getText(),
              type: parameter.type?.getText() ?? "",
              optional: parameter.questionToken !== undefined,
            })),
            returns: member.type.type.getText(),
          });
    if (ts.isTypeAliasDeclaration(statement) && ts.isTypeLiteralNode(statement.type))
      options.set(
        name,
        statement.type.members
          .filter((member) => ts.isPropertySignature(member))
          .map((member) => ({ name: member.name.getText(), type: member.type?.getText() ?? "" })),
      );
    if (ts.isEnumDeclaration(statement))
      enums.set(name, new Set(statement.members.map((member) => member.name.getText().toLowerCase())));
  }
  const idOf = (type: string): string =>
    type.replace(/^(Container|Directory|File|Secret|Service|CacheVolume)(?=(\[\])?$)/, "ID");

  return {
    method(className: string, field: string): Signature | undefined {
      const declared = methods.get(`${className}.${field}`);
      if (!declared) return undefined;
      const own = ours.getType(className === "Client" ? "Query" : className) as GraphQLObjectType;
      const args = own.getFields()[field]?.args.map((argument) => argument.name) ?? [];
      const last = declared.parameters.at(-1);
      const bag = last?.optional === true ? options.get(last.type) : undefined;
      const positional = bag ? declared.parameters.slice(0, -1) : declared.parameters;
      return {
        positional: positional.map(({ name, type }) => `${name}: ${idOf(type)}`),
        // Options that this engine leaves out fail with an error that names them.
        options: (bag ?? [])
          .filter(({ name }) => args.includes(name))
          .map(({ name, type }) => `${name}: ${idOf(type)}`)
          .sort(),
        returns: declared.returns === `Promise<${className}>` ? "self" : declared.returns,
      };
    },
    members: (name: string): ReadonlySet<string> => enums.get(name) ?? new Set(),
  };
}
