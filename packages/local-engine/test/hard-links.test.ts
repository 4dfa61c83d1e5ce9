import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { hardLinkTree, linkSources } from "../src/files/hard-links.js";

const folder = mkdtempSync(join(tmpdir(), "tgo-links-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function tree(name: string, files: Readonly<Record<string, string>>): string {
  const root = join(folder, name);
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

it("a merged directory is linked file by file from the layer that is seen; its folders are its own", () => {
  const low = tree("low", { "bin/a": "low", "bin/only": "low", gone: "low" });
  const high = tree("high", { "bin/a": "high", "lib/b": "high" });
  const seen = tree("seen", { "bin/a": "high", "bin/only": "low", "lib/b": "high" });
  chmodSync(join(seen, "lib"), 0o750);
  const target = tree("target", {});
  hardLinkTree(linkSources(seen, [low, high], undefined), target);
  const text = (path: string): string => readFileSync(join(target, path), "utf8");
  expect([text("bin/a"), text("bin/only"), text("lib/b")]).toEqual(["high", "low", "high"]);
  const inode = (root: string, path: string): number => statSync(join(root, path)).ino;
  expect(inode(target, "bin/only")).toBe(inode(low, "bin/only"));
  expect(inode(target, "lib/b")).toBe(inode(high, "lib/b"));
  expect(statSync(join(target, "lib")).mode & 0o777).toBe(0o750);
  expect(() => statSync(join(target, "gone"))).toThrow();
});

it("only what is selected is linked", () => {
  const root = tree("root", { a: "1", b: "2" });
  const target = tree("selected", {});
  hardLinkTree(linkSources(root, [root], ["b"]), target);
  expect(() => statSync(join(target, "a"))).toThrow();
  expect(readFileSync(join(target, "b"), "utf8")).toBe("2");
});
