import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { OCI_LAYER } from "@tgo/registry";
import { createTar, elfObject, streamOf, type TarEntry } from "@tgo/testing";
import { describe, expect, test } from "vitest";
import { scanDirectory, scanLayers, type ElfReport, type ElfScanOptions } from "../src/index.js";

const LD = "/lib64/ld-linux-x86-64.so.2";
const LIB = "usr/lib/x86_64-linux-gnu";
const SITE = "app/lib/python3.11/site-packages";
const program = (...needed: string[]): Buffer =>
  elfObject({ interpreter: LD, needed: [...needed, "libc.so.6"] });
const library = (...needed: string[]): Buffer => elfObject({ needed: [...needed, "libc.so.6"] });

/** A cache of one library: glibc, struct cache_file_new and one file_entry_new. */
function cacheOf(name: string, path: string): Buffer {
  const cache = Buffer.alloc(72);
  cache.write("glibc-ld.so.cache1.1", "latin1");
  cache.writeUInt32LE(1, 20);
  cache.writeUInt32LE(72, 52);
  cache.writeUInt32LE(73 + name.length, 56);
  return Buffer.concat([cache, Buffer.from(`${name}\0${path}\0`)]);
}

/** A base with glibc, and a package of each kind with a file that lacks something. */
const IMAGE: readonly TarEntry[] = [
  { path: "usr", folder: true },
  { path: "lib", symlink: "usr/lib" },
  { path: "lib64", symlink: "usr/lib64" },
  { path: "usr/lib64/ld-linux-x86-64.so.2", symlink: "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" },
  {
    path: `${LIB}/ld-linux-x86-64.so.2`,
    content: elfObject({ soname: "ld-linux-x86-64.so.2", defines: ["GLIBC_2.3"] }),
  },
  { path: `${LIB}/libc.so.6`, content: elfObject({ soname: "libc.so.6", defines: ["GLIBC_2.34"] }) },
  { path: "etc/ld.so.cache", content: cacheOf("libcached.so.1", "/usr/local/lib/libcached.so.1") },
  { path: "usr/local/lib/libcached.so.1", content: library() },
  { path: "opt/vendor/libvendor.so.1", content: library() },
  { path: "usr/bin/python3.11", content: program("libcached.so.1") },
  { path: "usr/bin/node", content: program() },
  { path: "usr/bin/psql", content: program("libpq.so.5") },
  {
    path: "var/lib/dpkg/status",
    content:
      "Package: postgresql-client\nStatus: install ok installed\nArchitecture: amd64\nVersion: 15+248\n",
  },
  { path: "var/lib/dpkg/info/postgresql-client.list", content: "/.\n/usr/bin/psql\n" },
  { path: `${SITE}/fast.abi3.so`, content: library("libvendor.so.1") },
  {
    path: `${SITE}/fast-1.2.dist-info/METADATA`,
    content: "Metadata-Version: 2.1\nName: fast\nVersion: 1.2\n",
  },
  { path: `${SITE}/fast-1.2.dist-info/RECORD`, content: "fast.abi3.so,sha256=x,1\n" },
  {
    path: "app/node_modules/@scope/addon/package.json",
    content: JSON.stringify({ name: "@scope/addon", version: "3.0.0", description: "x".repeat(5000) }),
  },
  { path: "app/node_modules/@scope/addon/build/addon.node", content: library("libvips.so.42") },
  { path: "usr/lib/plugin.so", content: library("libgone.so.1") },
];

async function inDirectory(entries: readonly TarEntry[], options?: ElfScanOptions): Promise<ElfReport> {
  const root = await mkdtemp(join(tmpdir(), "tgo-link-"));
  try {
    for (const entry of entries) {
      const path = join(root, entry.path);
      await mkdir(dirname(path), { recursive: true });
      if ("content" in entry) await writeFile(path, entry.content);
      else if ("symlink" in entry) await symlink(entry.symlink, path);
    }
    return await scanDirectory(root, "linux/amd64", options);
  } finally {
    await rm(root, { recursive: true });
  }
}

/** In two layers, to be stacked. */
function inLayers(entries: readonly TarEntry[], options?: ElfScanOptions): Promise<ElfReport> {
  const layers = [entries.slice(0, 8), entries.slice(8)].map((part) => ({
    mediaType: OCI_LAYER,
    open: () => streamOf(createTar(part), 1000),
  }));
  return scanLayers(layers, "linux/amd64", options);
}

describe.each([
  ["a mounted root file system", inDirectory],
  ["layers", inLayers],
])("the link proof of %s", (_, scan) => {
  test("names file, library and package; a library that nothing loads is a note", async () => {
    expect((await scan(IMAGE)).links).toEqual({
      roots: 5,
      libraries: 2,
      failures: [
        {
          kind: "library",
          file: "/app/lib/python3.11/site-packages/fast.abi3.so",
          library: "libvendor.so.1",
          found: "/opt/vendor/libvendor.so.1",
          package: "fast 1.2 (python)",
        },
        {
          kind: "library",
          file: "/app/node_modules/@scope/addon/build/addon.node",
          library: "libvips.so.42",
          package: "@scope/addon 3.0.0 (node)",
        },
        {
          kind: "library",
          file: "/usr/bin/psql",
          library: "libpq.so.5",
          package: "postgresql-client 15+248 (dpkg)",
        },
      ],
      notes: [{ kind: "library", file: "/usr/lib/plugin.so", library: "libgone.so.1" }],
    });
  });

  test("obeys LD_LIBRARY_PATH and what is allowed", async () => {
    const options = { libraryPath: "/opt/vendor", allow: ["/app/node_modules/", "/usr/bin/psql"] };
    expect((await scan(IMAGE, options)).links.failures).toEqual([]);
  });
});
