import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, it } from "vitest";
import standIn from "../typescript.js";

const KINDS = ["Property", "Method", "Function", "Class", "Interface", "TypeAlias", "Enum"].map(
  (name) => `${name}Declaration` as keyof typeof ts.SyntaxKind,
);

it("has TypeScript's own numbers, and the rest of TypeScript when it is used", () => {
  const node = ts.factory.createClassDeclaration(undefined, "A", undefined, undefined, []);
  for (const kind of KINDS) expect(standIn.SyntaxKind[kind]).toBe(ts.SyntaxKind[kind]);
  expect(standIn.SyntaxKind.Identifier).toBe(ts.SyntaxKind.Identifier);
  expect([standIn.isClassDeclaration(node), standIn.isEnumDeclaration(node)]).toEqual([true, false]);
  expect(standIn.version).toBe(ts.version);
});

it("loads TypeScript only when something else is asked for than the SDK reads at its start", () => {
  const file = fileURLToPath(new URL("../typescript.ts", import.meta.url));
  const script = `
    import { createRequire } from "node:module";
    import ts from ${JSON.stringify(file)};
    const files = () => Object.keys(createRequire(${JSON.stringify(file)}).cache).filter((name) => name.endsWith("/typescript.js")).length;
    for (const kind of ${JSON.stringify(KINDS)}) [ts.SyntaxKind[kind], ts["is" + kind]];
    const before = files();
    ts.version;
    console.log(before, files());`;
  const printed = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  expect(printed).toBe("0 1\n");
});
