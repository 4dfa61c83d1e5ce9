import { link, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as zlib from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readElfHeader, scanDirectory, scanLayers, type LayerSource } from "../src/index.js";
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from "@tgo/registry";
import { machineName, programsOf } from "../src/elf/elf-machine.js";
import { pathPattern } from "../src/elf/path-pattern.js";
import { rejection, AARCH64, elfFile, streamOf, createTar, X86_64, type TarEntry } from "@tgo/testing";

describe("an ELF header", () => {
  test.each([
    ["x86-64", elfFile(62), { class: 64, endianness: "little", machine: 62 }],
    ["aarch64", elfFile(183), { class: 64, endianness: "little", machine: 183 }],
    ["32-bit arm", elfFile(40, { bits: 32 }), { class: 32, endianness: "little", machine: 40 }],
    ["big-endian s390x", elfFile(22, { endian: "big" }), { class: 64, endianness: "big", machine: 22 }],
    ["a script", Buffer.from("#!/bin/sh\nexec true; true\n"), undefined],
    ["the magic alone", Buffer.from([0x7f, 0x45, 0x4c, 0x46]), undefined],
    ["the magic and garbage", Buffer.from("\x7fELFrubbishrubbishrubbish"), undefined],
    ["nothing", Buffer.alloc(0), undefined],
  ])("of %s", (_, bytes, expected) => {
    expect(readElfHeader(bytes)).toEqual(expected);
  });

  test.each([
    ["linux/amd64", 62, 64, "little"],
    ["linux/arm64", 183, 64, "little"],
    ["linux/arm64/v8", 183, 64, "little"],
    ["linux/arm/v7", 40, 32, "little"],
    ["linux/386", 3, 32, "little"],
    ["linux/s390x", 22, 64, "big"],
  ])("%s runs machine %d, %d bits, %s-endian", (platform, machine, bits, endianness) => {
    expect(programsOf(platform)).toEqual({ machine, class: bits, endianness });
  });

  test("an unknown architecture is an error that lists the known ones", () => {
    expect(() => programsOf("linux/vax")).toThrow(/amd64, .*arm64|arm64/);
  });

  test.each([
    ["x86-64", 62, 64, "little"],
    ["x86-64 (32-bit)", 62, 32, "little"],
    ["aarch64 (32-bit, big-endian)", 183, 32, "big"],
    ["mips", 8, 32, "big"],
    ["machine 9999", 9999, 64, "little"],
  ] as const)("%s", (name, machine, bits, endianness) => {
    expect(machineName({ machine, class: bits, endianness })).toBe(name);
  });
});

test.each([
  ["/usr/lib/x.so", "/usr/lib/x.so", true],
  ["usr/lib/x.so", "/usr/lib/x.so", true],
  ["/usr/lib/x.so", "/usr/lib/xxso", false],
  ["/opt/tools/", "/opt/tools/a/b", true],
  ["/opt/tools/", "/opt/toolsmith", false],
  ["/opt/*/x", "/opt/a/x", true],
  ["/opt/*/x", "/opt/a/b/x", false],
  ["**/prebuilds/**", "/app/node_modules/a/prebuilds/linux-arm64/a.node", true],
  ["**/prebuilds/**", "/prebuilds/a", true],
  ["*.node", "/app/a.node", false],
])("the pattern %s on %s", (pattern, path, matches) => {
  expect(pathPattern(pattern).test(path)).toBe(matches);
});

const layer = (entries: readonly TarEntry[], mediaType = OCI_LAYER_GZIP): LayerSource => {
  const bytes = createTar(entries);
  return { mediaType, open: () => streamOf(mediaType === OCI_LAYER_GZIP ? gzipSync(bytes) : bytes, 1000) };
};
const x86 = (path: string): TarEntry => ({ path, content: elfFile(X86_64) });
const arm = (path: string): TarEntry => ({ path, content: elfFile(AARCH64) });

describe("the layers of an image", () => {
  const scan = (layers: LayerSource[], allow: string[] = []): ReturnType<typeof scanLayers> =>
    scanLayers(layers, "linux/arm64", { allow });

  test("every regular file counts, ELF or not; a foreign one is reported with its path", async () => {
    expect(
      await scan([
        layer([
          arm("bin/sh"),
          x86("usr/lib/libevil.so"),
          { path: "etc/hosts", content: "x" },
          { path: "lib", symlink: "usr/lib" },
          { path: "usr", folder: true },
        ]),
      ]),
    ).toEqual({
      files: 3,
      elf: 2,
      machines: { aarch64: 1, "x86-64": 1 },
      foreign: [{ path: "/usr/lib/libevil.so", machine: "x86-64" }],
      links: { roots: 0, libraries: 0, failures: [], notes: [] },
    });
  });

  test("code for no CPU is neutral, and a file at an allowed path is not foreign", async () => {
    const entries = [0, 190, 224, 247].map((machine) => ({ path: `n${machine}`, content: elfFile(machine) }));
    const report = await scan(
      [layer([...entries, x86("opt/qemu/x"), { path: "i386", content: elfFile(3, { bits: 32 }) }])],
      ["/opt/qemu/"],
    );
    expect(report.foreign).toEqual([{ path: "/i386", machine: "i386" }]);
    expect(report.machines).toEqual({ amdgpu: 1, bpf: 1, cuda: 1, i386: 1, none: 1, "x86-64": 1 });
  });

  test.each([
    ["linux/arm64", AARCH64, "x86_64-linux-gnu", "aarch64, but named for x86_64: Python ignores it"],
    ["linux/amd64", X86_64, "aarch64-linux-gnu", "x86-64, but named for aarch64: Python ignores it"],
    ["linux/arm64", AARCH64, "x86_64-linux-musl", "aarch64, but named for x86_64: Python ignores it"],
    ["linux/arm64", X86_64, "x86_64-linux-gnu", "x86-64"],
    ["linux/arm64", AARCH64, "aarch64-linux-gnu", undefined],
    ["linux/amd64", X86_64, "x86_64-linux-gnu", undefined],
  ])("on %s, a Python extension of machine %d named for %s", async (platform, machine, suffix, why) => {
    const path = `app/_crc.cpython-311-${suffix}.so`;
    const plain = [
      { path: "app/_crc.abi3.so", content: elfFile(machine) },
      { path: `app/${suffix}/lib.so.1`, content: elfFile(machine) },
    ];
    const entries = why === "x86-64" ? [] : plain;
    const { foreign } = await scanLayers(
      [layer([...entries, { path, content: elfFile(machine) }])],
      platform,
    );
    expect(foreign).toEqual(why === undefined ? [] : [{ path: `/${path}`, machine: why }]);
  });

  test.each([
    ["linux/amd64", X86_64, "x86-64 (32-bit)", { bits: 32 }],
    ["linux/arm64", AARCH64, "aarch64 (32-bit)", { bits: 32 }],
    ["linux/arm64", AARCH64, "aarch64 (big-endian)", { endian: "big" }],
    ["linux/arm64", 40, "arm", { bits: 32 }],
  ])("on %s, machine %d as %s is foreign", async (platform, machine, name, options) => {
    const content = elfFile(machine, options);
    const { foreign, machines } = await scanLayers([layer([{ path: "a", content }])], platform);
    expect(foreign).toEqual([{ path: "/a", machine: name }]);
    expect(machines).toEqual({ [name]: 1 });
  });

  test("an image full of foreign files is reported by the first thousand", async () => {
    const { foreign, elf } = await scan([layer(Array.from({ length: 1100 }, (_, at) => x86(`f${at}`)))]);
    expect([foreign.length, elf]).toEqual([1000, 1100]);
  });

  test.each<[string, TarEntry[], TarEntry[], string[]]>([
    ["a file is replaced", [x86("a")], [arm("a")], []],
    [
      "a file is deleted by a whiteout",
      [x86("d/a"), x86("d/b")],
      [{ path: "d/.wh.a", content: "" }],
      ["/d/b"],
    ],
    [
      "a directory is deleted by a whiteout",
      [x86("d/e/a"), x86("de")],
      [{ path: ".wh.d", content: "" }],
      ["/de"],
    ],
    [
      "a directory is made opaque; the layer's own files in it stay",
      [x86("d/a")],
      [{ path: "d/.wh..wh..opq", content: "" }, x86("d/b")],
      ["/d/b"],
    ],
    [
      "a whiteout does not affect a file after it in its own layer",
      [x86("a")],
      [{ path: ".wh.a", content: "" }, x86("a")],
      ["/a"],
    ],
    ["a directory is replaced by a link", [x86("d/a")], [{ path: "d", symlink: "/else" }], []],
    ["a file is replaced by a directory", [x86("d")], [{ path: "d", folder: true }], []],
    ["a directory that stays keeps its content", [x86("d/a")], [{ path: "d", folder: true }], ["/d/a"]],
    ["a hard link is a file of its own", [x86("a"), { path: "b", link: "a" }], [], ["/a", "/b"]],
    [
      "a hard link outlives its target",
      [x86("a"), { path: "b", link: "a" }],
      [{ path: ".wh.a", content: "" }],
      ["/b"],
    ],
    ["names with a leading dot or slash", [x86("./a"), x86("/b")], [], ["/a", "/b"]],
    [
      "a long name",
      [x86(`${"d/".repeat(60)}${"n".repeat(90)}`)],
      [],
      [`/${"d/".repeat(60)}${"n".repeat(90)}`],
    ],
  ])("%s", async (_, lower, upper, foreign) => {
    const report = await scan([
      layer(lower),
      layer(upper.length === 0 ? [{ path: "etc", folder: true }] : upper),
    ]);
    expect(report.foreign.map(({ path }) => path)).toEqual(foreign);
  });

  test("an uncompressed layer, an empty one, and gzip in several members", async () => {
    const bytes = createTar([x86("a")]);
    const members = Buffer.concat([gzipSync(bytes.subarray(0, 700)), gzipSync(bytes.subarray(700))]);
    const empty = { mediaType: OCI_LAYER_GZIP, open: () => streamOf(gzipSync(Buffer.alloc(1024))) };
    const report = await scan([
      layer([x86("b")], OCI_LAYER),
      empty,
      { mediaType: OCI_LAYER_GZIP, open: () => streamOf(members) },
    ]);
    expect(report.foreign.map(({ path }) => path)).toEqual(["/a", "/b"]);
  });

  test("zstd is read if Node can read it, else it is an error", async () => {
    const scanning = scan([{ mediaType: OCI_LAYER_ZSTD, open: () => streamOf(zstd(createTar([x86("a")]))) }]);
    if ("createZstdDecompress" in zlib) expect((await scanning).foreign).toHaveLength(1);
    else
      expect(await rejection(scanning)).toMatchObject({
        code: "ENVIRONMENT",
        remedy: expect.stringContaining("Node 22.15") as string,
      });
  });

  test.each([
    ["not gzip", { mediaType: OCI_LAYER_GZIP, open: () => streamOf(Buffer.from("hello")) }],
    [
      "a truncated gzip",
      { mediaType: OCI_LAYER_GZIP, open: () => streamOf(gzipSync(createTar([x86("a")])).subarray(0, 60)) },
    ],
    ["not tar", { mediaType: OCI_LAYER, open: () => streamOf(Buffer.alloc(2048, "x")) }],
    [
      "a truncated tar",
      {
        mediaType: OCI_LAYER,
        open: () => streamOf(createTar([{ path: "a", content: Buffer.alloc(5000) }]).subarray(0, 1500)),
      },
    ],
    [
      "a second archive behind zeros",
      { mediaType: OCI_LAYER_GZIP, open: () => streamOf(followed(Buffer.alloc(1), gzipSync("more"))) },
    ],
    [
      "zeros after the compressed archive, which Go refuses",
      { mediaType: OCI_LAYER_GZIP, open: () => streamOf(followed(Buffer.alloc(10))) },
    ],
    [
      "anything else after it",
      { mediaType: OCI_LAYER_GZIP, open: () => streamOf(followed(Buffer.from("x"))) },
    ],
    [
      "an empty file by the name of gzip",
      { mediaType: OCI_LAYER_GZIP, open: () => streamOf(Buffer.alloc(0)) },
    ],
    [
      "gzip by name, tar by content",
      { mediaType: OCI_LAYER_GZIP, open: () => streamOf(createTar([x86("a")])) },
    ],
    [
      "a layer for Windows",
      {
        mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        open: () => streamOf(gzipSync(createTar([]))),
      },
    ],
    ["not a layer", { mediaType: "application/json", open: () => streamOf(Buffer.alloc(0)) }],
  ])("%s is an error, never a clean report", async (_, source) => {
    expect(await rejection(scan([source]))).toMatchObject({ code: "INVALID_RESPONSE" });
  });
});

describe("a root directory", () => {
  let root = "";
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "tgo-elf-"));
    for (const folder of ["usr/bin", "proc/1", "dev", "app/proc"])
      await mkdir(join(root, folder), { recursive: true });
    await writeFile(join(root, "usr/bin/tool"), elfFile(AARCH64));
    await link(join(root, "usr/bin/tool"), join(root, "usr/bin/same"));
    await writeFile(join(root, "usr/bin/script"), "#!/bin/sh\n");
    await writeFile(join(root, "app/proc/foreign.so"), elfFile(X86_64));
    await writeFile(join(root, "proc/1/exe"), elfFile(X86_64));
    await writeFile(
      Buffer.concat([Buffer.from(`${root}/app/`), Buffer.from([0xff, 0xfe])]),
      elfFile(AARCH64),
    );
    await symlink("/proc/self/exe", join(root, "usr/bin/outside"));
    await symlink(".", join(root, "usr/loop"));
  });
  afterAll(() => rm(root, { recursive: true }));

  test("is walked without following links and without the kernel's file systems", async () => {
    expect(await scanDirectory(root, "linux/arm64")).toEqual({
      files: 5,
      elf: 4,
      machines: { aarch64: 3, "x86-64": 1 },
      foreign: [{ path: "/app/proc/foreign.so", machine: "x86-64" }],
      links: { roots: 0, libraries: 0, failures: [], notes: [] },
    });
  });

  test("names the package that installed a foreign file", async () => {
    const packed = await mkdtemp(join(tmpdir(), "tgo-elf-"));
    const site = join(packed, "app/.venv/lib/python3.11/site-packages");
    await mkdir(join(site, "notpure-1.0.0.dist-info"), { recursive: true });
    await mkdir(join(site, "notpure"));
    for (const name of ["notpure/_fast.so", "stray.so"]) await writeFile(join(site, name), elfFile(X86_64));
    await writeFile(join(site, "notpure-1.0.0.dist-info/METADATA"), "Name: notpure\nVersion: 1.0.0\n");
    await writeFile(join(site, "notpure-1.0.0.dist-info/RECORD"), "notpure/_fast.so,,\n");
    const { foreign } = await scanDirectory(packed, "linux/arm64");
    expect(foreign.map(({ path, package: owner }) => [path.replace(/.*site-packages/, ""), owner])).toEqual([
      ["/notpure/_fast.so", "notpure 1.0.0 (python)"],
      ["/stray.so", undefined],
    ]);
    await rm(packed, { recursive: true });
  });

  test("that does not exist is an error", async () => {
    expect(await rejection(scanDirectory(join(root, "nowhere"), "linux/arm64"))).toMatchObject({
      code: "ENVIRONMENT",
      what: expect.stringContaining("ENOENT") as string,
    });
  });
});

function followed(...more: Buffer[]): Buffer {
  return Buffer.concat([gzipSync(createTar([x86("a")])), ...more]);
}

function zstd(bytes: Buffer): Buffer {
  return "zstdCompressSync" in zlib ? (zlib.zstdCompressSync as (input: Buffer) => Buffer)(bytes) : bytes;
}
