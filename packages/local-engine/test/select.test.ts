import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { matcher, select } from "../src/files/select.js";

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "tgo-engine-select-"));
  for (const file of [
    "a.py",
    "b.log",
    "lib/c.py",
    "lib/d.log",
    "lib/deep/e.py",
    "node_modules/x/y.js",
    ".git/HEAD",
    "out/.gitignore",
  ]) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), "");
  }
});

afterAll(() => {
  rmSync(root, { recursive: true });
});

const EVERYTHING = [
  ".git",
  ".git/HEAD",
  "a.py",
  "b.log",
  "lib",
  "lib/c.py",
  "lib/d.log",
  "lib/deep",
  "lib/deep/e.py",
  "node_modules",
  "node_modules/x",
  "node_modules/x/y.js",
  "out",
  "out/.gitignore",
];

describe("the selected paths", () => {
  it("are all, without patterns", () => {
    expect(select(root, {})).toBeUndefined();
    expect(select(root, { include: ["**"] })).toEqual(EVERYTHING);
  });

  it.each([
    ["a name at the top only", { exclude: ["*.log"] }, EVERYTHING.filter((path) => path !== "b.log")],
    ["a name at every depth", { exclude: ["**/*.log"] }, EVERYTHING.filter((path) => !path.endsWith(".log"))],
    [
      "a directory with all its contents",
      { exclude: ["node_modules/", ".git", "/lib"] },
      ["a.py", "b.log", "out", "out/.gitignore"],
    ],
    ["everything but", { exclude: ["**", "!lib/deep"] }, ["lib", "lib/deep", "lib/deep/e.py"]],
    [
      "included files with their parent directories",
      { include: ["**/*.py"] },
      ["a.py", "lib", "lib/c.py", "lib/deep", "lib/deep/e.py"],
    ],
    [
      "included, then excluded",
      { include: ["lib"], exclude: ["lib/deep"] },
      ["lib", "lib/c.py", "lib/d.log"],
    ],
    [
      "excluded directories except for a file in them",
      { exclude: ["lib", "!lib/deep/e.py", ".git", "node_modules", "out"] },
      ["a.py", "b.log", "lib", "lib/deep", "lib/deep/e.py"],
    ],
  ])("follow %s", (_, selection, expected) => {
    expect(select(root, selection)).toEqual(expected);
  });

  it("match as .dockerignore does", () => {
    expect(["a/b", "a", "x/a"].map(matcher(["a"]))).toEqual([true, true, false]);
  });
});

it("refuses a name that is not UTF-8 in one line, with its bytes", () => {
  const odd = mkdtempSync(join(tmpdir(), "tgo-engine-names-"));
  writeFileSync(Buffer.concat([Buffer.from(`${odd}/caf`), Buffer.from([0xe9]), Buffer.from(".txt")]), "");
  expect(() => select(odd, { exclude: [".git"] })).toThrow(
    `${odd}/caf\\xe9.txt: a file name is not UTF-8\n  Rename the file.`,
  );
  rmSync(odd, { recursive: true });
});

it("accepts a name with the character that stands for what is not UTF-8", () => {
  const fine = mkdtempSync(join(tmpdir(), "tgo-engine-names-"));
  writeFileSync(join(fine, "\uFFFD.txt"), "");
  expect(select(fine, { exclude: [".git"] })).toEqual(["\uFFFD.txt"]);
  rmSync(fine, { recursive: true });
});

it.each(["[", "a[b", "[z-a]"])("a malformed pattern is an error that says so: %s", (pattern) => {
  expect(() => matcher([pattern])).toThrow(`one of the patterns is malformed: ${pattern}\n`);
});
