import type { Directory } from "@dagger.io/dagger";
import { applyOverride } from "@tgo/catalog";
import { describe, expect, it } from "vitest";
import { applyIgnoreFile } from "../../src/source/ignore-file.js";
import { patternProblem } from "../../src/source/ignore-pattern.js";

describe("a pattern of .dockerignore", () => {
  it.each(["*.log", "[a-z]*", "[^a]", "a[]b]", String.raw`\[`, String.raw`[\]]`, "**/x", "a]"])(
    "%s is one",
    (pattern) => {
      expect(patternProblem(pattern)).toBeUndefined();
    },
  );

  it.each([
    ["[", "is not closed"],
    ["a[b", "is not closed"],
    [String.raw`[\]`, "is not closed"],
    ["[z-a]", "the range z-a is in the wrong order"],
    ["a\\", "it ends with a backslash"],
  ])("%s is none: %s", (pattern, why) => {
    expect(patternProblem(pattern)).toContain(why);
  });
});

it("a malformed line is refused with its number, before the engine sees it", async () => {
  const text = "\uFEFF# notes\nnode_modules\n![\n";
  const directory = {
    exists: (path: string) => Promise.resolve(path === ".dockerignore"),
    file: () => ({ contents: () => Promise.resolve(text) }),
  } as unknown as Directory;
  const { services } = applyOverride({ services: { a: { title: "A", build: { strategy: "dockerfile" } } } });
  const build = services.a?.build;
  if (build === undefined) throw new Error("no service");
  await expect(applyIgnoreFile(build, directory)).rejects.toThrow(
    '.dockerignore, line 3: "![" is not a pattern: a "[" is not closed; write \\[ for the character itself',
  );
});
