import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { equalPackages } from "../../src/container-tools/equal-packages.js";

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const SITE = "app/.venv/lib/python3.11/site-packages";

/** An installed package: its files, a RECORD that lists those of the wheel, and further ones. */
function installed(name: string, files: Record<string, string>, more: Record<string, string> = {}) {
  const info = `${name.replaceAll("-", "_")}-1.0.dist-info`;
  const record = [...Object.keys(files), `${info}/METADATA`, `../../../bin/${name}`]
    .map((path) => `${path.includes(",") ? `"${path}"` : path},sha256=x,1\n`)
    .join("");
  const metadata = `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`;
  return { ...files, ...more, [`${info}/METADATA`]: metadata, [`${info}/RECORD`]: record };
}

/** A root file system with these files in site-packages. */
function root(files: Record<string, string>, config = "home = /usr/bin\n"): string {
  const folder = mkdtempSync(join(tmpdir(), "tgo-equal-"));
  folders.push(folder);
  for (const [path, text] of Object.entries({ ...files, "../../../pyvenv.cfg": config })) {
    const file = join(folder, SITE, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

const compare = (one: string, other: string): Promise<string[]> =>
  equalPackages({ roots: [one, other], environment: "/app/.venv" });

const PURE = installed("Pure.Name", { "pure/__init__.py": "a", "pure/data.bin": "b" });

it("packages with the same files are equal; an extension, a byte, or a file on one side makes one different", async () => {
  const one = root({
    ...PURE,
    ...installed("wheel", { "wheel/__init__.py": "", "wheel/_fast.cpython-311-x86_64-linux-gnu.so": "x" }),
    ...installed("byte", { "byte/a.py": "1" }),
    ...installed("more", { "more/a.py": "" }),
    ...installed("single", { "single.py": "" }),
  });
  const other = root({
    ...PURE,
    ...installed("wheel", { "wheel/__init__.py": "", "wheel/_fast.cpython-311-aarch64-linux-gnu.so": "x" }),
    ...installed("byte", { "byte/a.py": "2" }),
    ...installed("more", { "more/a.py": "" }, { "more/b.py": "" }),
    ...installed("single", { "single.py": "" }),
    ...installed("new", { "new/a.py": "" }),
  });
  expect((await compare(one, other)).sort()).toEqual(["pure-name", "single"]);
});

it("bytecode counts, also beside a module of one file", async () => {
  const pyc = (text: string): Record<string, string> => ({
    ...installed("folder", { "folder/a.py": "" }, { "folder/__pycache__/a.cpython-311.pyc": text }),
    ...installed("single", { "single.py": "" }, { "__pycache__/single.cpython-311.pyc": text }),
  });
  expect(await compare(root(pyc("1")), root(pyc("1")))).toEqual(["folder", "single"]);
  expect(await compare(root(pyc("1")), root(pyc("2")))).toEqual([]);
});

it("nothing is equal where Python starts differently", async () => {
  const plain = root(PURE);
  expect(await compare(plain, root(PURE))).toEqual(["pure-name"]);
  expect(await compare(plain, root(PURE, "home = /opt/bin\n"))).toEqual([]);
  expect(await compare(plain, root({ ...PURE, "x.pth": "import os" }))).toEqual([]);
  expect(await compare(plain, root({ ...PURE, "sitecustomize.py": "" }))).toEqual([]);
  expect(await compare(plain, mkdtempRoot())).toEqual([]);
});

it("a symbolic link may lead to anything, and a package without a RECORD may have any file", async () => {
  const roots = [root(PURE), root(PURE)] as const;
  for (const each of roots) symlinkSync("/usr/lib", join(each, SITE, "pure/link"));
  expect(await compare(...roots)).toEqual([]);
  const bare = { "bare/a.py": "", "bare-1.dist-info/METADATA": "Name: bare\n" };
  expect(await compare(root(bare), root(bare))).toEqual([]);
});

it("files are compared to their ends", async () => {
  const long = "x".repeat(600_000);
  const of = (end: string): string => root(installed("long", { "long/data": long + end }));
  expect(await compare(of("a"), of("a"))).toEqual(["long"]);
  expect(await compare(of("a"), of("b"))).toEqual([]);
});

function mkdtempRoot(): string {
  const folder = mkdtempSync(join(tmpdir(), "tgo-equal-"));
  folders.push(folder);
  return folder;
}
