import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BuildContext, Variant } from "@tgo/builders";
import { applyOverride, type Platform } from "@tgo/catalog";
import { scanDirectory, type ElfScanOptions } from "@tgo/image";
import { AARCH64, elfObject, type ElfSpec, rejection, X86_64 } from "@tgo/testing";
import { afterAll, describe, expect, it } from "vitest";
import { checkVariant, type CheckResult } from "../src/check-variant.js";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

/** Checks a variant with these files, by the tool that an engine would run in a container. */
async function check(
  platform: Platform,
  files: Readonly<Record<string, ElfSpec | string>>,
  machines: object = {},
  libraryPath = "",
): Promise<CheckResult> {
  const root = await mkdtemp(join(tmpdir(), "tgo-check-"));
  folders.push(root);
  for (const [path, file] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    const machine = platform === "linux/arm64" ? AARCH64 : X86_64;
    await writeFile(join(root, path), typeof file === "string" ? file : elfObject({ machine, ...file }));
  }
  const tools = {
    withNewFile: () => tools,
    withMountedDirectory: () => tools,
    withExec: ([, , , input = ""]: string[]) => ({
      stdout: async () => {
        const { platform: name, ...options } = JSON.parse(input) as ElfScanOptions & { platform: string };
        return JSON.stringify(await scanDirectory(root, name, options));
      },
    }),
  };
  const context = {
    bases: { container: () => Promise.resolve(tools) },
    catalog: applyOverride({ services: {} }, { machines }),
    native: "linux/amd64",
  };
  const container = {
    platform: () => Promise.resolve(platform),
    envVariable: () => Promise.resolve(libraryPath),
    rootfs: () => ({}),
  };
  const variant = { platform, container } as unknown as Variant;
  return checkVariant(context as unknown as BuildContext, "api", variant, ["/opt/tools/"]);
}

const LD = { "/lib/ld.so": { soname: "ld.so" } } as const;
const program = (...needed: string[]): ElfSpec => ({ interpreter: "/lib/ld.so", needed });
const SMALL: ElfSpec = { soname: "libsmall.so.1", alignment: 4096 };
const OWNER = {
  "/var/lib/dpkg/status":
    "Package: libsmall1\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.0-1\n",
  "/var/lib/dpkg/info/libsmall1.list": "/.\n/usr/lib/libsmall.so.1\n",
};

describe("a program without a library that it needs", () => {
  const interpreter = "/lib/ld-musl-aarch64.so.1";
  const files = {
    [interpreter]: { soname: "libc.so" },
    "/app/main": { interpreter, needed: ["libx.so.1", "libpq.so.5"] },
    "/opt/lib/libx.so.1": {},
  };

  it("fails the check: file, library and what to do are named", async () => {
    expect(await rejection(check("linux/arm64", files))).toMatchObject({
      code: "CHECK",
      what:
        "programs or modules of the linux/arm64 variant of api cannot be loaded:\n" +
        "  /app/main needs libx.so.1, which is at /opt/lib/libx.so.1, where its loader does not look\n" +
        "  /app/main needs libpq.so.5, which is not in the image",
      remedy: expect.stringMatching(/"so:libpq\.so\.5".*RUNPATH.*allowForeign/) as string,
    });
  });

  it("passes with LD_LIBRARY_PATH of the image and the library; what was followed is in the result", async () => {
    const whole = { ...files, "/usr/lib/libpq.so.5": {} };
    const result = await check("linux/arm64", whole, {}, "/opt/lib");
    expect(result.links).toEqual({ roots: 1, libraries: 2, notes: [] });
    expect(result.notes).toEqual([]);
  });

  it("is a note for libraries that nothing loads: the first three are named", async () => {
    const plugins = ["a", "b", "c", "d"].map(
      (name) => [`/usr/lib/${name}.so`, { needed: ["libgone.so"] }] as const,
    );
    const { links, notes } = await check("linux/arm64", {
      [interpreter]: { soname: "libc.so" },
      "/app/main": { interpreter },
      ...Object.fromEntries(plugins),
    });
    expect(links.notes).toHaveLength(4);
    expect(notes).toEqual([
      "optional, or loaded by nothing: /usr/lib/a.so needs libgone.so, which is not in the image; " +
        "/usr/lib/b.so needs libgone.so, which is not in the image; " +
        "/usr/lib/c.so needs libgone.so, which is not in the image; and 1 more",
    ]);
  });
});

describe("a file that a promised machine cannot load", () => {
  it("fails the check by its pages: file, package, machine and what to do are named", async () => {
    const files = { ...LD, ...OWNER, "/usr/lib/libsmall.so.1": SMALL, "/app/main": program("libsmall.so.1") };
    expect(await rejection(check("linux/arm64", files))).toMatchObject({
      code: "CHECK",
      what:
        "1 file of the linux/arm64 variant of api cannot be loaded on Raspberry Pi 5 (16 KiB pages):\n" +
        "  /usr/lib/libsmall.so.1 of libsmall1 1.0-1 (dpkg): it is aligned for pages of 4 KiB",
      remedy: expect.stringMatching(
        /max-page-size=65536[^]*\n.*"Raspberry Pi 5", leave it out of machines\["linux\/arm64"\]/,
      ) as string,
    });
  });

  it("fails the check by the level that its note asks for", async () => {
    const files = { ...LD, "/app/main": { ...program(), properties: { 0xc0008002: 4 } } };
    expect(await rejection(check("linux/amd64", files))).toMatchObject({
      code: "CHECK",
      what:
        "1 file of the linux/amd64 variant of api cannot be loaded on x86-64-v2 PCs and servers:\n" +
        "  /app/main: it needs x86-64-v3",
      remedy: expect.stringContaining("-march=x86-64-v2") as string,
    });
  });

  it("is a note where nothing loads it", async () => {
    const files = { ...LD, ...OWNER, "/usr/lib/libsmall.so.1": SMALL, "/app/main": program() };
    expect((await check("linux/arm64", files)).notes).toEqual([
      "nothing loads what Raspberry Pi 5 (16 KiB pages) cannot: " +
        "/usr/lib/libsmall.so.1 of libsmall1 1.0-1 (dpkg): it is aligned for pages of 4 KiB",
    ]);
  });

  it("passes where it is allowed, or the machine is not promised, or runs it", async () => {
    const files = { ...LD, "/app/main": program("libsmall.so.1") };
    const allowed = { ...files, "/opt/tools/tool": { ...program(), alignment: 4096 } };
    expect(
      (await check("linux/arm64", { ...allowed, "/usr/lib/libsmall.so.1": { ...SMALL, alignment: 16384 } }))
        .notes,
    ).toEqual([]);
    const machines = { "linux/arm64": [{ name: "Raspberry Pi 4", processor: "cortex-a72" }] };
    expect((await check("linux/arm64", { ...files, "/usr/lib/libsmall.so.1": SMALL }, machines)).elf).toBe(3);
    expect((await check("linux/amd64", { ...files, "/usr/lib/libsmall.so.1": SMALL })).notes).toEqual([]);
  });
});
