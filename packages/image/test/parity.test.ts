import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareContents, readContents, type VariantContents } from "../src/index.js";
import { neutralName } from "../src/parity/neutral-name.js";

const roots: string[] = [];
afterAll(() => Promise.all(roots.map((root) => rm(root, { recursive: true }))));

/** @param files contents, or sizes in bytes, by path */
async function contents(
  platform: string,
  files: Readonly<Record<string, string | number>>,
): Promise<VariantContents> {
  const root = await mkdtemp(join(tmpdir(), "tgo-parity-"));
  roots.push(root);
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), typeof content === "string" ? content : Buffer.alloc(content));
  }
  return readContents(root, platform);
}

/** What is found between an amd64 and an arm64 variant. */
async function findings(
  amd64: Readonly<Record<string, string | number>>,
  arm64: Readonly<Record<string, string | number>>,
  allow?: readonly string[],
): Promise<string[]> {
  return compareContents([await contents("linux/amd64", amd64), await contents("linux/arm64", arm64)], allow);
}

const dpkg = (...packages: readonly string[]): Record<string, string> => ({
  "var/lib/dpkg/status": packages
    .map((text) => {
      const [name, version] = text.split(" ");
      return `Package: ${name ?? ""}\nStatus: install ok installed\nArchitecture: any\nVersion: ${version ?? ""}\n`;
    })
    .join("\n"),
});
const SITE = "app/.venv/lib/python3.11/site-packages";
const wheel = (name: string, version: string, ...files: readonly string[]): Record<string, string> => ({
  [`${SITE}/${name}-${version}.dist-info/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
  [`${SITE}/${name}-${version}.dist-info/RECORD`]: [
    ...files,
    ...["METADATA", "RECORD"].map((file) => `${name}-${version}.dist-info/${file}`),
  ]
    .map((file) => `${file},,\n`)
    .join(""),
  ...Object.fromEntries(files.map((file) => [`${SITE}/${file}`, "x"])),
});
const npm = (name: string): Record<string, string> => ({
  [`app/node_modules/${name}/package.json`]: JSON.stringify({ name, version: "1.0.0" }),
});
const alpine = (...names: readonly string[]): Record<string, string> => ({
  "lib/apk/db/installed": names.map((name) => `P:${name}\nV:1.0-r0\nA:any\n\n`).join(""),
});

describe("names", () => {
  it.each([
    ["/usr/lib/x86_64-linux-gnu/libz.so.1", "/usr/lib/aarch64-linux-gnu/libz.so.1"],
    ["_speed.cpython-311-x86_64-linux-gnu.so", "_speed.cpython-311-aarch64-linux-gnu.so"],
    ["@esbuild/linux-x64", "@esbuild/linux-arm64"],
    ["/lib/ld-musl-x86_64.so.1", "/lib/ld-musl-aarch64.so.1"],
    ["/var/lib/dpkg/info/libc6:amd64.list", "/var/lib/dpkg/info/libc6:arm64.list"],
    ["cpp-12-x86-64-linux-gnu", "cpp-12-aarch64-linux-gnu"],
  ])("%s is %s", (amd64, arm64) => {
    expect(neutralName(amd64)).toBe(neutralName(arm64));
  });

  it("that only contain such letters stay", () => {
    for (const name of ["/app/base-x640", "/app/max64.js", "/opt/farm64"])
      expect(neutralName(name)).toBe(name);
  });
});

describe("packages that one platform lacks", () => {
  it("are found in every database", async () => {
    const amd64 = {
      ...dpkg("libc6 2.36-9", "libdrm-intel1 2.4"),
      ...wheel("onlyx", "1.0.0"),
      ...npm("both"),
      ...npm("fsevents"),
      ...alpine("musl", "gcompat"),
    };
    const arm64 = { ...dpkg("libc6 2.36-9"), ...npm("both"), ...alpine("musl") };
    expect(await findings(amd64, arm64)).toEqual([
      "only linux/amd64 has the Alpine package gcompat 1.0-r0",
      "only linux/amd64 has the Debian package libdrm-intel1 2.4",
      "only linux/amd64 has the npm package fsevents 1.0.0",
      "only linux/amd64 has the Python package onlyx 1.0.0",
    ]);
    expect(await findings(arm64, amd64)).toHaveLength(4);
  });

  it("are listed to a limit, with their number", async () => {
    const many = Array.from({ length: 9 }, (_, at) => `lib${at} 1`);
    expect(await findings(dpkg("libc6 1"), dpkg("libc6 1", ...many))).toEqual([
      "only linux/arm64 has the Debian packages lib0 1, lib1 1, lib2 1, lib3 1, lib4 1, lib5 1 and 3 more",
    ]);
  });

  it("are none if only the architecture in their name differs", async () => {
    expect(await findings(npm("@esbuild/linux-x64"), npm("@esbuild/linux-arm64"))).toEqual([]);
  });

  it("in another version are named with both; Debian's rebuilds are none", async () => {
    expect(
      await findings(
        { ...dpkg("qemu 7.2+b3"), ...wheel("numpy", "1.26.0") },
        { ...dpkg("qemu 7.2+b1"), ...wheel("numpy", "1.24.0") },
      ),
    ).toEqual(["versions differ of the Python package numpy (1.26.0 on linux/amd64, 1.24.0 on linux/arm64)"]);
  });
});

describe("files that one platform lacks", () => {
  it("are grouped by the highest folder that the other lacks", async () => {
    const found = await findings(
      {
        "app/main.py": "x",
        "opt/model/a/1": 3 << 20,
        "opt/model/b": 1 << 20,
        big: 20 << 20,
        "app/only.py": "x",
      },
      { "app/main.py": "x", "opt/other": "x" },
    );
    expect(found).toEqual([
      "only linux/amd64 has files: /big (20.0 MiB), /opt/model/ (2 files, 4.0 MiB), /app/only.py (0.0 KiB)",
      "only linux/arm64 has files: /opt/other (0.0 KiB)",
      "the files' total sizes are far apart: 24.0 MiB on linux/amd64, 0.0 KiB on linux/arm64",
    ]);
  });

  it("of a package that both have are the packager's", async () => {
    const compiled = `${SITE}/fast/__pycache__/sse.cpython-311.pyc`;
    expect(
      await findings(
        { ...wheel("fast", "1", "fast/__init__.py", "fast/sse.py"), [compiled]: "x" },
        wheel("fast", "1", "fast/__init__.py", "fast/neon.so"),
      ),
    ).toEqual([]);
  });

  it("of a package that one lacks are not told twice", async () => {
    expect(await findings(wheel("onlyx", "1.0", "onlyx/__init__.py"), {})).toEqual([
      "only linux/amd64 has the Python package onlyx 1.0",
    ]);
  });

  it("that differ in their architecture's name are there", async () => {
    expect(
      await findings(
        { "usr/lib/x86_64-linux-gnu/libz.so.1": "x", "app/f.cpython-311-x86_64-linux-gnu.so": "x" },
        { "usr/lib/aarch64-linux-gnu/libz.so.1": "xy", "app/f.cpython-311-aarch64-linux-gnu.so": "x" },
      ),
    ).toEqual([]);
  });
});

describe("sizes far apart", () => {
  it("of one file are named, of packaged ones are not", async () => {
    const model = `${SITE}/fast/model.bin`;
    const record = wheel("fast", "1", "fast/model.bin");
    expect(
      await findings(
        { ...record, "data/stub.bin": 2 << 20, "app/bin": 3 << 20, [model]: 5 << 20 },
        { ...record, "data/stub.bin": 0, "app/bin": 2 << 20, [model]: 0 },
      ),
    ).toEqual(["sizes are far apart: /data/stub.bin (2.0 MiB on linux/amd64, 0.0 KiB on linux/arm64)"]);
  });
});

describe("differences that are meant", () => {
  it("are left out by a package's name, or a path pattern", async () => {
    const amd64 = { ...wheel("onlyx", "1.0"), "opt/x86/tool": 30 << 20, "app/main.py": "x" };
    expect(await findings(amd64, { "app/main.py": "x" }, ["onlyx", "/opt/x86/"])).toEqual([]);
  });
});

it("one variant has nothing to differ from", async () => {
  expect(compareContents([await contents("linux/amd64", { a: "x" })])).toEqual([]);
});

it("symbolic links are not followed, and are no files", async () => {
  const variant = await contents("linux/amd64", { "app/a": "x" });
  const root = roots.at(-1) ?? "";
  await symlink("/etc", join(root, "app/etc"));
  await symlink("a", join(root, "app/b"));
  expect([...(await readContents(root, "linux/amd64")).files]).toEqual([...variant.files]);
});
