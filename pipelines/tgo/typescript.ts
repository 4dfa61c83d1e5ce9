/**
 * Stands in for TypeScript while the SDK loads (tsconfig.json maps it here): TypeScript is a third of a call's start, and a
 * call that src/answer-call.ts answers does not need it. Whatever else the SDK asks for is TypeScript's own.
 */
import { createRequire } from "node:module";
import type ts from "typescript";

type TypeScript = typeof ts;

/** What the SDK reads while it loads; so are their `is…` functions. */
const KINDS = {
  PropertyDeclaration: 173,
  MethodDeclaration: 175,
  FunctionDeclaration: 263,
  ClassDeclaration: 264,
  InterfaceDeclaration: 265,
  TypeAliasDeclaration: 266,
  EnumDeclaration: 267,
};

let loaded: TypeScript | undefined;

function real(): TypeScript {
  // Seen from node_modules, tsconfig.json's paths do not apply.
  loaded ??= createRequire(new URL("node_modules/_.js", import.meta.url))("typescript") as TypeScript;
  return loaded;
}

/** @param own what is known of T without loading it */
function lazy<T extends object>(own: Record<string, unknown>, rest: () => T): T {
  return new Proxy(own, {
    get: (_, name) => (name in own ? own[name as string] : rest()[name as keyof T]),
  }) as T;
}

const guards = Object.keys(KINDS).map((kind): [string, unknown] => {
  const name = `is${kind}` as "isClassDeclaration";
  return [name, (node: ts.Node) => real()[name](node)];
});

export default lazy<TypeScript>(
  { ...Object.fromEntries(guards), SyntaxKind: lazy(KINDS, () => real().SyntaxKind) },
  real,
);
