import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isScalarType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLType,
} from "graphql";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { SDL } from "../src/schema.graphql.js";

const ours = buildSchema(SDL);
const objects = Object.values(ours.getTypeMap()).filter(
  (type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith("__"),
);

/** The schema of the real engine, where a developer has it; the SDK's generated client is there always. */
const FILE =
  process.env.TGO_DAGGER_SCHEMA ??
  join(import.meta.dirname, "../../../../shared/dagger/schema-v0.21.8.graphql");
console.info(
  `schema test: held to the SDK's client${existsSync(FILE) ? ` and to ${FILE}` : " (set TGO_DAGGER_SCHEMA to compare with the engine's schema too)"}`,
);

describe("what is served, in the SDK's generated client", () => {
  const sdk = readSdk();
  const fields = objects.flatMap((type) =>
    Object.values(type.getFields())
      // The SDK writes node(id:) by itself.
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

describe.runIf(existsSync(FILE))("what is served, in the real engine's schema", () => {
  const real = buildSchema(existsSync(FILE) ? readFileSync(FILE, "utf8") : "type Query { version: String! }");

  it.each(objects.map((type) => ({ name: type.name, type })))(
    "$name has the same interfaces, fields, arguments and defaults",
    ({ type }) => {
      const there = real.getType(type.name) as GraphQLObjectType;
      expect(type.getInterfaces().map(String).sort()).toEqual(there.getInterfaces().map(String).sort());
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
      expect(shape(type)).toEqual(shape(there));
    },
  );

  it("has the same enums and inputs", () => {
    for (const type of Object.values(ours.getTypeMap())) {
      const there = real.getType(type.name);
      if (isEnumType(type) && isEnumType(there) && !type.name.startsWith("__"))
        expect(type.getValues().map(({ name }) => name)).toEqual(there.getValues().map(({ name }) => name));
      if (isInputObjectType(type) && isInputObjectType(there))
        expect(Object.values(type.getFields()).map((f) => `${f.name}: ${String(f.type)}`)).toEqual(
          Object.values(there.getFields()).map((f) => `${f.name}: ${String(f.type)}`),
        );
    }
  });

  it("leaves out no argument that must be given", () => {
    for (const type of objects)
      for (const { name, args } of Object.values(type.getFields())) {
        const there = (real.getType(type.name) as GraphQLObjectType).getFields()[name];
        const required =
          there?.args.filter((argument) => isRequiredArgument(argument)).map((argument) => argument.name) ??
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

/** How the SDK's generator renders a field: https://github.com/dagger/dagger/tree/v0.21.8/cmd/codegen/generator/typescript */
function signature({ args, type, name }: GraphQLField<unknown, unknown>): Signature {
  const render = (argument: GraphQLArgument): string => `${argument.name}: ${typescriptType(argument.type)}`;
  const object = isObjectType(getNamedType(type)) && !isListType(isNonNullType(type) ? type.ofType : type);
  const returned = name === "sync" || ["start", "stop"].includes(name) ? "self" : typescriptType(type);
  return {
    positional: args.filter(isRequiredArgument).map(render),
    options: args
      .filter((argument) => !isRequiredArgument(argument))
      .map(render)
      .sort(),
    returns: object ? returned : returned === "self" ? returned : `Promise<${returned}>`,
  };
}

function typescriptType(type: GraphQLType): string {
  if (isNonNullType(type)) return typescriptType(type.ofType);
  if (isListType(type)) return `${typescriptType(type.ofType)}[]`;
  const scalars: Record<string, string> = { String: "string", Int: "number", Boolean: "boolean" };
  return isScalarType(type) ? (scalars[type.name] ?? type.name) : String(type);
}

/** The SDK's declarations, read by the compiler. Arguments of type ID are classes there: both sides say ID. */
function readSdk() {
  const file = createRequire(import.meta.url)
    .resolve("@dagger.io/dagger")
    .replace(/index\.js$/, "api/client.gen.d.ts");
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ES2022, true);
  const classes = new Map<string, ts.ClassDeclaration>();
  const options = new Map<string, ts.TypeLiteralNode>();
  const enums = new Map<string, ts.EnumDeclaration>();
  for (const statement of source.statements) {
    if (ts.isClassDeclaration(statement) && statement.name) classes.set(statement.name.text, statement);
    if (ts.isTypeAliasDeclaration(statement) && ts.isTypeLiteralNode(statement.type))
      options.set(statement.name.text, statement.type);
    if (ts.isEnumDeclaration(statement)) enums.set(statement.name.text, statement);
  }
  const served = (name: string): string[] => {
    const field = objects
      .find((type) => (type.name === "Query" ? "Client" : type.name) === name)
      ?.getFields();
    return Object.keys(field ?? {});
  };
  const typeText = (node: ts.TypeNode | undefined): string =>
    (node?.getText() ?? "")
      .replace(/\b(Container|Directory|File|Secret|Service|CacheVolume)\b(?=(\[\])?$)/, "ID")
      .replace(/^(\w+)ID$/, "$1ID");

  return {
    method(className: string, field: string): Signature | undefined {
      if (!served(className).includes(field)) return undefined;
      const member = classes
        .get(className)
        ?.members.find(
          (m): m is ts.PropertyDeclaration => ts.isPropertyDeclaration(m) && m.name.getText() === field,
        );
      if (!member?.type || !ts.isFunctionTypeNode(member.type)) return undefined;
      const { parameters, type } = member.type;
      const positional: string[] = [];
      let optional: string[] = [];
      for (const parameter of parameters) {
        const text = parameter.type?.getText() ?? "";
        const literal = options.get(text);
        const own = ours.getType(className === "Client" ? "Query" : className) as GraphQLObjectType;
        const args = own.getFields()[field]?.args ?? [];
        if (parameter.questionToken && literal)
          // Options this engine leaves out are answered with an error that names them.
          optional = literal.members
            .filter(
              (m): m is ts.PropertySignature =>
                ts.isPropertySignature(m) && args.some((a) => a.name === m.name.getText()),
            )
            .map((m) => `${m.name.getText()}: ${typeText(m.type)}`);
        else positional.push(`${parameter.name.getText()}: ${typeText(parameter.type)}`);
      }
      const returns = type.getText();
      const self = returns === `Promise<${className}>`;
      return { positional, options: optional.sort(), returns: self ? "self" : returns };
    },
    members(name: string): Set<string> {
      return new Set(enums.get(name)?.members.map((member) => member.name.getText().toLowerCase()) ?? []);
    },
  };
}
