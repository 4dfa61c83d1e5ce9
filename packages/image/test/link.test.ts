import { AARCH64, elfFile, elfObject, type ElfSpec, X86_64 } from "@tgo/testing";
import { describe, expect, test } from "vitest";
import { bytesOf, readElfFacts, type ElfFacts } from "../src/index.js";
import { linkFindingText, linkRemedy, type LinkReport } from "../src/link/link-report.js";
import { Paths } from "../src/link/link-tree.js";
import { readLoaderCache } from "../src/link/loader-files.js";
import { proveLinks, type LinkOptions } from "../src/link/prove-links.js";

type File = ElfSpec | Buffer | { readonly link: string };
type Tree = Readonly<Record<string, File>>;

const AMD64 = { class: 64, endianness: "little", machine: X86_64 } as const;

function prove(files: Tree, options: Partial<LinkOptions> = {}): LinkReport {
  const elf = new Map<string, ElfFacts>();
  const links = new Map<string, string>();
  const texts = new Map<string, Buffer>();
  for (const [path, file] of Object.entries(files)) {
    if ("link" in file) links.set(path, file.link);
    else {
      const bytes = Buffer.isBuffer(file) ? file : elfObject(file);
      const facts = readElfFacts(bytesOf(bytes));
      if (facts === undefined) texts.set(path, bytes);
      else elf.set(path, facts);
    }
  }
  const tree = {
    elf,
    linkTarget: (path: string) => links.get(path),
    loaderFile: (path: string) => texts.get(path),
  };
  return proveLinks(tree, { expected: AMD64, ...options });
}

const failuresOf = (files: Tree, options?: Partial<LinkOptions>): string[] =>
  prove(files, options).failures.map(linkFindingText);
const notesOf = (files: Tree): string[] => prove(files).notes.map(linkFindingText);

const LD = "/lib64/ld-linux-x86-64.so.2";
const LIB = "/usr/lib/x86_64-linux-gnu";
/** Debian 12, with /usr merged: glibc 2.36. */
const DEBIAN: Tree = {
  "/lib": { link: "usr/lib" },
  "/lib64": { link: "usr/lib64" },
  "/bin": { link: "usr/bin" },
  "/usr/lib64/ld-linux-x86-64.so.2": { link: "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" },
  [`${LIB}/ld-linux-x86-64.so.2`]: { soname: "ld-linux-x86-64.so.2", defines: ["GLIBC_2.2.5", "GLIBC_2.3"] },
  [`${LIB}/libc.so.6`]: {
    interpreter: LD,
    soname: "libc.so.6",
    needed: ["ld-linux-x86-64.so.2"],
    needs: { "ld-linux-x86-64.so.2": ["GLIBC_2.3"] },
    defines: ["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.36"],
  },
};
/** As most programs are linked. */
const program = (spec: ElfSpec = {}): ElfSpec => ({
  interpreter: LD,
  ...spec,
  needed: [...(spec.needed ?? []), "libc.so.6"],
  needs: { "libc.so.6": ["GLIBC_2.34"], ...spec.needs },
});
const library = (spec: ElfSpec = {}): ElfSpec => ({
  ...spec,
  needed: [...(spec.needed ?? []), "libc.so.6"],
});
const python = { "/usr/local/bin/python3.11": program() };
const SITE = "/usr/local/lib/python3.11/site-packages";

const MUSL_LD = "/lib/ld-musl-x86_64.so.1";
const ALPINE: Tree = {
  [MUSL_LD]: { soname: "libc.musl-x86_64.so.1" },
  "/lib/libc.musl-x86_64.so.1": { link: "ld-musl-x86_64.so.1" },
};
const muslProgram = (spec: ElfSpec = {}): ElfSpec => ({
  interpreter: MUSL_LD,
  ...spec,
  needed: [...(spec.needed ?? []), "libc.musl-x86_64.so.1"],
});

/** ldconfig's cache of these paths by library name; a number is hwcap. */
function loaderCache(entries: readonly (readonly [name: string, path: string, hwcap?: number])[]): Buffer {
  const strings: Buffer[] = [];
  let at = 48 + entries.length * 24;
  const header = Buffer.alloc(48 + entries.length * 24);
  header.write("glibc-ld.so.cache1.1", "latin1");
  header.writeUInt32LE(entries.length, 20);
  entries.forEach(([name, path, hwcap = 0], index) => {
    header.writeUInt32LE(0x0303, 48 + index * 24);
    header.writeBigUInt64LE(BigInt(hwcap), 48 + index * 24 + 16);
    [name, path].forEach((text, part) => {
      header.writeUInt32LE(at, 48 + index * 24 + 4 + 4 * part);
      strings.push(Buffer.from(`${text}\0`));
      at += text.length + 1;
    });
  });
  return Buffer.concat([header, ...strings]);
}

describe("a program on glibc", () => {
  test("with all that it needs", () => {
    const files = {
      ...DEBIAN,
      "/usr/bin/tool": program({ needed: ["libx.so.1"] }),
      [`${LIB}/libx.so.1`]: library(),
    };
    // libc is a program too.
    expect(prove(files)).toEqual({
      roots: 2,
      libraries: 1,
      failures: [],
      notes: [],
    });
  });

  test("a library that is missing, of the program and of one of its libraries", () => {
    const files = {
      ...DEBIAN,
      "/usr/bin/tool": program({ needed: ["libx.so.1"] }),
      "/usr/bin/psql": program({ needed: ["libpq.so.5"] }),
      [`${LIB}/libx.so.1`]: library({ needed: ["liby.so.2"] }),
    };
    expect(failuresOf(files)).toEqual([
      "/usr/bin/psql needs libpq.so.5, which is not in the image",
      "/usr/lib/x86_64-linux-gnu/libx.so.1 needs liby.so.2, which is not in the image; /usr/bin/tool loads it",
    ]);
  });

  test("symbol versions newer than the base's", () => {
    const files = {
      ...DEBIAN,
      "/app/tool": program({ needs: { "libc.so.6": ["GLIBC_2.36", "GLIBC_2.38"] } }),
    };
    expect(failuresOf(files)).toEqual([
      "/app/tool needs GLIBC_2.38 of libc.so.6, which /usr/lib/x86_64-linux-gnu/libc.so.6 does not have",
    ]);
  });

  test.each([
    ["weak", { "libc.so.6": ["GLIBC_ABI_DT_RELR?"] }],
    ["of a library without versions: the loader only warns", { "libx.so.1": ["X_2"] }],
  ])("a version that may be missing: %s", (_, needs) => {
    const files = {
      ...DEBIAN,
      "/app/tool": program({ needed: ["libx.so.1"], needs }),
      [`${LIB}/libx.so.1`]: library(),
    };
    expect(failuresOf(files)).toEqual([]);
  });

  test.each([
    ["musl's", { interpreter: MUSL_LD }, `the interpreter ${MUSL_LD}, which is not in the image`],
    [
      "of another path",
      { interpreter: "/opt/ld.so" },
      "the interpreter /opt/ld.so, which is not in the image",
    ],
    [
      "in a loop of links",
      { interpreter: "/loop/ld.so" },
      "the interpreter /loop/ld.so, which is not in the image",
    ],
    [
      "for another machine",
      { interpreter: "/arm/ld.so" },
      "the interpreter /arm/ld.so, which is for another machine",
    ],
    ["no ELF file", { interpreter: "/etc/text" }, "the interpreter /etc/text, which is not in the image"],
  ])("an interpreter that is not there: %s", (_, spec, what) => {
    const files = {
      ...DEBIAN,
      "/loop": { link: "pool" },
      "/pool": { link: "loop" },
      "/arm/ld.so": elfFile(AARCH64),
      "/etc/text": Buffer.from("text"),
      "/app/tool": spec,
    };
    expect(failuresOf(files)).toEqual([`/app/tool needs ${what}`]);
  });

  test("a library for another machine is passed over", () => {
    const files = {
      ...DEBIAN,
      "/app/tool": program({ needed: ["libx.so.1"], runpath: "/opt/arm:/opt/x86" }),
      "/opt/arm/libx.so.1": library({ machine: AARCH64 }),
    };
    expect(failuresOf(files)).toEqual(["/app/tool needs libx.so.1, which is not in the image"]);
    expect(failuresOf({ ...files, "/opt/x86/libx.so.1": library() })).toEqual([]);
  });

  test("what is for another machine, allowed, static, an object file or debug information is not judged", () => {
    const broken = program({ needed: ["libgone.so"] });
    const files = {
      ...DEBIAN,
      "/arm": { ...broken, machine: AARCH64 },
      "/opt/vendor/tool": broken,
      "/usr/lib/debug/tool": broken,
      "/usr/bin/tool.debug": broken,
      "/static": elfFile(X86_64),
      "/crt1.o": { ...broken, type: 1 },
    };
    expect(prove(files, { isAllowed: (path) => path.startsWith("/opt/") })).toMatchObject({
      roots: 1,
      failures: [],
      notes: [],
    });
  });
});

describe("where glibc's loader looks", () => {
  const tool = (spec: ElfSpec, at = "/opt/app/bin/tool"): Tree => ({
    ...DEBIAN,
    [at]: program({ needed: ["libx.so.1"], ...spec }),
  });
  const found = (path: string): string =>
    `needs libx.so.1, which is at ${path}, where its loader does not look`;

  test.each([
    ["RUNPATH", { runpath: "/opt/lib" }, "/opt/lib/libx.so.1"],
    ["RPATH", { rpath: "/nowhere:/opt/lib" }, "/opt/lib/libx.so.1"],
    ["$ORIGIN", { runpath: "$ORIGIN/../lib" }, "/opt/app/lib/libx.so.1"],
    ["${ORIGIN}", { rpath: "${ORIGIN}" }, "/opt/app/bin/libx.so.1"],
    ["$LIB", { runpath: "/opt/$LIB" }, "/opt/lib/x86_64-linux-gnu/libx.so.1"],
    ["$PLATFORM", { runpath: "/opt/$PLATFORM" }, "/opt/x86_64/libx.so.1"],
    ["multiarch directories", {}, `${LIB}/libx.so.1`],
    ["/usr/lib", {}, "/usr/lib/libx.so.1"],
  ])("%s", (_, spec, path) => {
    expect(failuresOf({ ...tool(spec), [path]: library() })).toEqual([]);
  });

  test.each([
    ["RPATH, ignored beside RUNPATH", { rpath: "/opt/lib", runpath: "/nowhere" }, "/opt/lib/libx.so.1"],
    ["a directory of nothing", {}, "/opt/lib/libx.so.1"],
    ["beside the program, without $ORIGIN", {}, "/opt/app/bin/libx.so.1"],
    ["/usr/local/lib, which ldconfig does not know", {}, "/usr/local/lib/libx.so.1"],
    ["Red Hat's directory on Debian", {}, "/usr/lib64/libx.so.1"],
    ["for stronger processors alone", {}, `${LIB}/glibc-hwcaps/x86-64-v3/libx.so.1`],
    ["default directories, after DF_1_NODEFLIB", { flags: 0x800, runpath: "$ORIGIN" }, "/usr/lib/libx.so.1"],
  ])("not: %s", (_, spec, path) => {
    const files = {
      ...tool(spec),
      [path]: library(),
      // A file with DF_1_NODEFLIB looks for libc by the same rule.
      "/opt/app/bin/libc.so.6": { link: `${LIB}/libc.so.6` },
    };
    expect(failuresOf(files)).toEqual([`/opt/app/bin/tool ${found(path)}`]);
  });

  test("symbolic links, in and to directories, upwards and absolute", () => {
    const files = {
      ...tool({ runpath: "/opt/current/lib" }),
      "/opt/current": { link: "releases/../v2" },
      "/opt/v2/lib": { link: "/srv/../srv/lib" },
      "/srv/lib/libx.so.1": { link: "libx.so.1.0.3" },
      "/srv/lib/libx.so.1.0.3": library({ soname: "libx.so.1" }),
    };
    expect(failuresOf(files)).toEqual([]);
    expect(failuresOf({ ...files, "/srv/lib/libx.so.1.0.3": { link: "libx.so.1" } })).toEqual([
      "/opt/app/bin/tool needs libx.so.1, which is not in the image",
    ]);
  });

  test("$ORIGIN is where a library was found, not where its link leads", () => {
    const files = {
      ...tool({ runpath: "/opt/lib" }),
      "/opt/lib/libx.so.1": { link: "/store/libx.so.1" },
      "/store/libx.so.1": library({ needed: ["liby.so.1"], runpath: "$ORIGIN" }),
    };
    expect(failuresOf({ ...files, "/opt/lib/liby.so.1": library() })).toEqual([]);
    expect(failuresOf({ ...files, "/store/liby.so.1": library() })).toHaveLength(1);
  });

  test.each([
    ["RPATH: what a library needs is looked for by its loaders' too", { rpath: "/opt/lib" }, {}, 0],
    ["RUNPATH: only what the file itself needs", { runpath: "/opt/lib" }, {}, 1],
    ["a library's RUNPATH ends its loaders' RPATH", { rpath: "/opt/lib" }, { runpath: "/nowhere" }, 1],
    ["a library's own RPATH comes with its loaders'", { rpath: "/opt/lib" }, { rpath: "/nowhere" }, 0],
  ])("%s", (_, ofProgram, ofLibrary, failures) => {
    const files = {
      ...tool(ofProgram),
      "/opt/lib/libx.so.1": library({ needed: ["liby.so.1"], ...ofLibrary }),
      "/opt/lib/liby.so.1": library(),
    };
    expect(failuresOf(files)).toHaveLength(failures);
  });

  test("what has been loaded is not looked for: by name, by DT_SONAME", () => {
    const files = {
      ...tool({ needed: ["libfull.so", "libx.so.1"], runpath: "/opt/lib" }),
      "/opt/lib/libfull.so": library({ soname: "libfull.so.3" }),
      "/opt/lib/libx.so.1": library({ needed: ["libfull.so.3", "libfull.so"] }),
    };
    expect(failuresOf(files)).toEqual([]);
  });

  test("LD_LIBRARY_PATH of the image, before RUNPATH and after RPATH", () => {
    const files = {
      ...tool({ runpath: "/opt/lib" }),
      "/opt/lib/libx.so.1": library({ needed: ["libgone.so"] }),
      "/env/libx.so.1": library(),
    };
    expect(failuresOf(files, { libraryPath: "/nowhere:/env" })).toEqual([]);
    expect(failuresOf(files)).toHaveLength(1);
    const before = { ...files, "/opt/app/bin/tool": program({ needed: ["libx.so.1"], rpath: "/opt/lib" }) };
    expect(failuresOf(before, { libraryPath: "/env" })).toHaveLength(1);
  });

  test("a path: as it is", () => {
    const files = { ...DEBIAN, "/app/tool": program({ needed: ["/opt/libx.so"] }) };
    expect(failuresOf({ ...files, "/opt/libx.so": library() })).toEqual([]);
    expect(failuresOf(files)).toHaveLength(1);
    expect(failuresOf({ ...DEBIAN, "/app/tool": program({ needed: ["build/libx.so"] }) })).toHaveLength(1);
  });

  test.each([
    ["Red Hat", "/usr/lib64/ld-linux-x86-64.so.2", "/usr/lib64", ["/usr/lib"]],
    ["Wolfi and Arch", "/usr/lib/ld-linux-x86-64.so.2", "/usr/lib", ["/opt/lib"]],
    [
      "a glibc of its own",
      "/nix/store/1-glibc/lib/ld-linux-x86-64.so.2",
      "/nix/store/1-glibc/lib",
      ["/usr/lib"],
    ],
  ])("the directories of %s", (_, loader, directory, others) => {
    const files = (at: string): Tree => ({
      [LD]: { link: loader },
      [loader]: { soname: "ld-linux-x86-64.so.2", defines: ["GLIBC_2.3"] },
      [`${directory}/libc.so.6`]: { soname: "libc.so.6", defines: ["GLIBC_2.34"] },
      "/app/tool": program({ needed: ["libx.so.1"] }),
      [`${at}/libx.so.1`]: library(),
    });
    expect(failuresOf(files(directory))).toEqual([]);
    for (const other of others) expect(failuresOf(files(other))).toHaveLength(1);
  });
});

test("a loader says itself where it looks, wherever it was copied to", () => {
  const copied = elfObject({
    soname: "ld-linux-x86-64.so.2",
    defines: ["GLIBC_2.3", "GLIBC_PRIVATE"],
    // As the compiler merges strings: the shorter row is the end of another one.
    symbols: [
      "/usr/lib/x/\0/lib/",
      "",
      "/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/",
      "",
    ],
  });
  const files = (at: string): Tree => ({
    [LD]: copied,
    [`${LIB}/libc.so.6`]: { soname: "libc.so.6", defines: ["GLIBC_2.34"] },
    "/app/tool": program({ needed: ["libx.so.1"] }),
    [`${at}/libx.so.1`]: library(),
  });
  expect(failuresOf(files(LIB))).toEqual([]);
  expect(failuresOf(files("/lib64"))).toHaveLength(1);
});

describe("ld.so.cache", () => {
  const files = (cache: Buffer): Tree => ({
    ...DEBIAN,
    "/etc/ld.so.cache": cache,
    "/app/tool": program({ needed: ["libx.so.1"] }),
    "/usr/local/lib/libx.so.1": library(),
  });
  const entry = ["libx.so.1", "/usr/local/lib/libx.so.1"] as const;
  const other = ["liby.so.1", "/usr/local/lib/liby.so.1"] as const;

  test("names a library", () => {
    expect(failuresOf(files(loaderCache([other, entry])))).toEqual([]);
  });

  test("with the old format before it", () => {
    const old = Buffer.alloc(16 + 12 + 4);
    old.write("ld.so-1.7.0\0", "latin1");
    old.writeUInt32LE(1, 12);
    expect(failuresOf(files(Buffer.concat([old, loaderCache([entry])])))).toEqual([]);
  });

  test.each([
    ["is older than the library", loaderCache([other])],
    ["names it for stronger processors alone", loaderCache([[...entry, 2 ** 40]])],
    ["names a file that is gone", loaderCache([["libx.so.1", "/usr/local/lib/gone.so"]])],
    ["is damaged", loaderCache([entry]).subarray(0, 90)],
    ["is something else", Buffer.from("text")],
  ])("%s", (_, cache) => {
    expect(failuresOf(files(cache))).toHaveLength(1);
  });

  test("is left out by DF_1_NODEFLIB as far as it names default directories", () => {
    const tree = {
      ...files(loaderCache([entry, ["libz.so.1", `${LIB}/libz.so.1`], ["libc.so.6", "/opt/libc.so.6"]])),
      "/app/tool": program({ needed: ["libx.so.1", "libz.so.1"], flags: 0x800 }),
      [`${LIB}/libz.so.1`]: library(),
      "/opt/libc.so.6": { link: `${LIB}/libc.so.6` },
    };
    expect(prove(tree).failures).toMatchObject([{ file: "/app/tool", library: "libz.so.1" }]);
  });

  test("cut off or changed anywhere: no throw", () => {
    const cache = loaderCache([entry, other]);
    for (let at = 0; at < cache.length; at++) {
      readLoaderCache(cache.subarray(0, at));
      const broken = Buffer.from(cache);
      broken.fill(0xff, at, Math.min(at + 4, cache.length));
      readLoaderCache(broken);
    }
    expect(readLoaderCache(cache)?.get("libx.so.1")).toEqual(["/usr/local/lib/libx.so.1"]);
  });
});

describe("a program on musl", () => {
  const tool = (spec: ElfSpec): Tree => ({
    ...ALPINE,
    "/opt/app/tool": muslProgram({ needed: ["libx.so.1"], ...spec }),
  });

  test.each([
    ["/lib", {}, "/lib/libx.so.1"],
    ["/usr/local/lib", {}, "/usr/local/lib/libx.so.1"],
    ["/usr/lib", {}, "/usr/lib/libx.so.1"],
    ["RUNPATH", { runpath: "$ORIGIN/lib" }, "/opt/app/lib/libx.so.1"],
    ["RPATH", { rpath: "/opt/lib" }, "/opt/lib/libx.so.1"],
  ])("looks in %s", (_, spec, path) => {
    expect(failuresOf({ ...tool(spec), [path]: {} })).toEqual([]);
  });

  test.each([
    ["a directory of nothing", {}, "/opt/lib/libx.so.1"],
    ["glibc's cache", {}, "/cached/libx.so.1"],
    ["a path with $LIB, which musl does not know", { runpath: "/opt/lib:/opt/$LIB" }, "/opt/lib/libx.so.1"],
  ])("not in %s", (_, spec, path) => {
    const cache = loaderCache([["libx.so.1", "/cached/libx.so.1"]]);
    expect(failuresOf({ ...tool(spec), "/etc/ld.so.cache": cache, [path]: {} })).toHaveLength(1);
  });

  test("only in the directories of /etc/ld-musl-x86_64.path, if there is one", () => {
    const files = { ...tool({}), "/etc/ld-musl-x86_64.path": Buffer.from("/lib\n/opt/lib:/srv\n") };
    expect(failuresOf({ ...files, "/opt/lib/libx.so.1": {} })).toEqual([]);
    expect(failuresOf({ ...files, "/usr/lib/libx.so.1": {} })).toHaveLength(1);
  });

  test("what a library needs is looked for in its loaders' RUNPATH too, whatever its own", () => {
    const files = {
      ...tool({ runpath: "/opt/lib" }),
      "/opt/lib/libx.so.1": { needed: ["liby.so.1"], runpath: "/nowhere" },
      "/opt/lib/liby.so.1": {},
    };
    expect(failuresOf(files)).toEqual([]);
  });

  test("symbol versions are not looked at, and the names of libc's parts are its own", () => {
    const files = {
      ...tool({ needed: ["libpthread.so.0", "libc.so.6", "libx.so.1"], needs: { "libx.so.1": ["X_9"] } }),
      "/lib/libx.so.1": { defines: ["X_1"] },
    };
    expect(failuresOf(files)).toEqual([]);
  });

  test("glibc's interpreter is not there, unless gcompat is", () => {
    const files = { ...ALPINE, "/app/tool": program() };
    expect(failuresOf(files)).toEqual([`/app/tool needs the interpreter ${LD}, which is not in the image`]);
    const gcompat = { [LD]: { needed: ["libc.musl-x86_64.so.1"] }, "/lib/libgcompat.so.0": {} };
    expect(failuresOf({ ...files, ...gcompat })).toEqual([]);
  });
});

describe("extension modules of Python", () => {
  const MODULE = `${SITE}/psycopg2/_psycopg.cpython-311-x86_64-linux-gnu.so`;
  const LIBS = `${SITE}/psycopg2_binary.libs`;

  test("are roots by name, and by PyInit_ where Python looks for modules", () => {
    const broken = library({ needed: ["libgone.so.1"] });
    const files = {
      ...DEBIAN,
      ...python,
      [MODULE]: broken,
      "/app/fast.abi3.so": broken,
      "/app/other.pypy39-pp73-x86_64-linux-gnu.so": broken,
      [`${SITE}/plain.so`]: library({ needed: ["libgone.so.1"], symbols: ["PyInit_plain"] }),
      [`${SITE}/data.so`]: broken,
    };
    const { failures, notes } = prove(files);
    expect(new Set(failures.map(({ file }) => file))).toEqual(
      new Set([
        MODULE,
        "/app/fast.abi3.so",
        "/app/other.pypy39-pp73-x86_64-linux-gnu.so",
        `${SITE}/plain.so`,
      ]),
    );
    expect(notes.map(({ file }) => file)).toEqual([`${SITE}/data.so`]);
  });

  test("a wheel with its libraries beside it", () => {
    const files = {
      ...DEBIAN,
      ...python,
      [MODULE]: library({ needed: ["libpq-1a2b.so.5.16"], rpath: "$ORIGIN/../psycopg2_binary.libs" }),
      // By the module's RPATH: auditwheel gives the libraries none.
      [`${LIBS}/libpq-1a2b.so.5.16`]: library({ needed: ["libssl-3c4d.so.3"] }),
      [`${LIBS}/libssl-3c4d.so.3`]: library(),
    };
    expect(prove(files)).toMatchObject({ failures: [], notes: [] });
  });

  test.each([
    [
      "libpq is missing",
      library({ needed: ["libpq.so.5"] }),
      `${MODULE} needs libpq.so.5, which is not in the image`,
    ],
    [
      "a wheel for a newer glibc",
      library({ needs: { "libc.so.6": ["GLIBC_2.38"] } }),
      `${MODULE} needs GLIBC_2.38 of libc.so.6, which ${LIB}/libc.so.6 does not have`,
    ],
    [
      "a wheel for musl",
      { needed: ["libc.musl-x86_64.so.1"] },
      `${MODULE} needs libc.musl-x86_64.so.1, which is not in the image`,
    ],
  ])("%s", (_, spec, text) => {
    expect(failuresOf({ ...DEBIAN, ...python, [MODULE]: spec })).toEqual([text]);
  });

  test("a wheel for glibc on Alpine, even where musl would find every name; not with gcompat", () => {
    const files = {
      ...ALPINE,
      "/usr/local/bin/python3.11": muslProgram(),
      [MODULE]: { needed: ["libc.so.6"], needs: { "libc.so.6": ["GLIBC_2.9", "GLIBC_2.17", "GLIBC_2.4"] } },
    };
    expect(failuresOf(files)).toEqual([
      `${MODULE} is built for glibc (it needs GLIBC_2.17), and the program that loads it runs on musl`,
    ]);
    expect(failuresOf({ ...files, "/lib/libgcompat.so.0": { soname: "libgcompat.so.0" } })).toEqual([]);
  });

  test("a wheel for musl whose libgcc has versions, one of them called GLIBC_2.0", () => {
    const files = {
      ...ALPINE,
      "/usr/local/bin/python3.11": muslProgram(),
      "/usr/lib/libgcc_s.so.1": { soname: "libgcc_s.so.1", defines: ["GCC_3.0", "GLIBC_2.0"] },
      [MODULE]: { needed: ["libgcc_s.so.1"], needs: { "libgcc_s.so.1": ["GCC_3.0", "GLIBC_2.0"] } },
    };
    expect(failuresOf(files)).toEqual([]);
  });

  test("what the program has loaded is there: libpython, by its DT_SONAME", () => {
    const files = {
      ...DEBIAN,
      "/usr/local/bin/python3.11": program({ needed: ["libpython3.11.so.1.0"], rpath: "$ORIGIN/../lib" }),
      "/usr/local/lib/libpython3.11.so.1.0": library({ soname: "libpython3.11.so.1.0" }),
      [MODULE]: library({ needed: ["libpython3.11.so.1.0"] }),
    };
    expect(failuresOf(files)).toEqual([]);
  });

  test("the program's RPATH counts for modules, its RUNPATH does not", () => {
    const files = (spec: ElfSpec): Tree => ({
      ...DEBIAN,
      "/opt/conda/bin/python3.11": program(spec),
      "/opt/conda/lib/libz.so.1": library(),
      [MODULE]: library({ needed: ["libz.so.1"] }),
    });
    expect(failuresOf(files({ rpath: "$ORIGIN/../lib" }))).toEqual([]);
    expect(failuresOf(files({ runpath: "$ORIGIN/../lib" }))).toHaveLength(1);
  });

  test("one of several Pythons has to do", () => {
    const files = {
      ...DEBIAN,
      ...python,
      "/opt/conda/bin/python3.12": program({ rpath: "/opt/conda/lib" }),
      "/opt/conda/lib/libz.so.1": library(),
      [MODULE]: library({ needed: ["libz.so.1"] }),
    };
    expect(failuresOf(files)).toEqual([]);
  });

  test("a library that another module loads: a note, for the order of imports decides", () => {
    const files = {
      ...DEBIAN,
      ...python,
      [`${SITE}/torch/_C.cpython-311-x86_64-linux-gnu.so`]: library({
        needed: ["libtorch.so"],
        runpath: "$ORIGIN/lib",
      }),
      [`${SITE}/torch/lib/libtorch.so`]: library({ soname: "libtorch.so" }),
      [`${SITE}/torchvision/_C.so`]: library({ needed: ["libtorch.so"], symbols: ["PyInit__C"] }),
    };
    const report = prove(files);
    expect(report.failures).toEqual([]);
    expect(report.notes.map(linkFindingText)).toEqual([
      `${SITE}/torchvision/_C.so needs libtorch.so, which is at ${SITE}/torch/lib/libtorch.so, where its loader does not look: another module that loads it has to be imported first`,
    ]);
  });

  test.each([
    ["/usr/local/lib/python3.11/lib-dynload/_tkinter.cpython-311-x86_64-linux-gnu.so", "libtk8.6.so"],
    [`${SITE}/numba/np/ufunc/tbbpool.cpython-311-x86_64-linux-gnu.so`, "libtbb.so.12"],
    [`${SITE}/mpi4py/MPI.mpich.cpython-311-x86_64-linux-gnu.so`, "libmpi.so.12"],
    [`${SITE}/cupy/cuda.cpython-311-x86_64-linux-gnu.so`, "libcuda.so.1"],
  ])("%s without %s is a note", (path, name) => {
    const { failures, notes } = prove({ ...DEBIAN, ...python, [path]: library({ needed: [name] }) });
    expect(failures).toEqual([]);
    expect(notes).toMatchObject([{ file: path, library: name, why: expect.any(String) as string }]);
  });

  test("where the image has no Python: the loader's own rules", () => {
    expect(failuresOf({ ...DEBIAN, [MODULE]: library({ needed: ["libgone.so"] }) })).toHaveLength(1);
    expect(failuresOf({ ...DEBIAN, [MODULE]: library() })).toEqual([]);
    // And where it has no loader, nothing could load it.
    expect(prove({ [MODULE]: library({ needed: ["libgone.so"] }) })).toMatchObject({
      failures: [],
      notes: [],
    });
  });
});

describe("addons of Node", () => {
  const node = {
    "/usr/local/bin/node": program({ needed: ["libstdc++.so.6"] }),
    [`${LIB}/libstdc++.so.6`]: library(),
  };
  const ADDON = "/app/node_modules/bcrypt/build/Release/bcrypt_lib.node";

  test("are roots", () => {
    expect(failuresOf({ ...DEBIAN, ...node, [ADDON]: library({ needed: ["libstdc++.so.6"] }) })).toEqual([]);
    expect(failuresOf({ ...DEBIAN, ...node, [ADDON]: library({ needed: ["libvips.so.42"] }) })).toEqual([
      `${ADDON} needs libvips.so.42, which is not in the image`,
    ]);
    expect(failuresOf({ ...DEBIAN, ...node, [ADDON]: { needed: ["libc.musl-x86_64.so.1"] } })).toHaveLength(
      1,
    );
  });

  test.each([
    ["@swc/core-linux-x64-musl/swc.linux-x64-musl.node", "@swc/core-linux-x64-gnu/swc.linux-x64-gnu.node"],
    [
      "@img/sharp-linuxmusl-x64/lib/sharp-linuxmusl-x64.node",
      "@img/sharp-linux-x64/lib/sharp-linux-x64.node",
    ],
    ["bufferutil/prebuilds/linux-x64/node.napi.musl.node", "bufferutil/prebuilds/linux-x64/node.napi.node"],
  ])("%s beside a build for glibc is a note, and the other way round; alone it is a failure", (musl, gnu) => {
    const [forMusl, forGlibc] = [musl, gnu].map((path) => `/app/node_modules/${path}`) as [string, string];
    const builds = {
      [forMusl]: { needed: ["libc.musl-x86_64.so.1"] },
      [forGlibc]: library({ needed: ["ld-linux-x86-64.so.2"] }),
    };
    const onDebian = prove({ ...DEBIAN, ...node, ...builds });
    expect(onDebian.failures).toEqual([]);
    expect(onDebian.notes).toMatchObject([
      { file: forMusl, why: expect.stringContaining("build") as string },
    ]);
    const alpine = { ...ALPINE, "/usr/local/bin/node": muslProgram() };
    const onAlpine = prove({ ...alpine, ...builds });
    expect(onAlpine.failures).toEqual([]);
    expect(onAlpine.notes).toMatchObject([{ file: forGlibc }]);
    expect(failuresOf({ ...DEBIAN, ...node, [forMusl]: builds[forMusl] ?? {} })).toHaveLength(1);
    expect(failuresOf({ ...alpine, [forGlibc]: builds[forGlibc] ?? {} })).toHaveLength(1);
  });

  test("a build for this C library is no note when it lacks something", () => {
    const path = "/app/node_modules/bufferutil/prebuilds/linux-x64/node.napi";
    const builds = {
      [`${path}.musl.node`]: { needed: ["libc.musl-x86_64.so.1"] },
      [`${path}.node`]: library({ needed: ["libgone.so"] }),
    };
    expect(prove({ ...DEBIAN, ...node, ...builds }).failures).toMatchObject([{ file: `${path}.node` }]);
  });

  test("programs of such packages", () => {
    const [musl, gnu] = ["-musl", ""].map(
      (libc) => `/app/node_modules/sass-embedded-linux${libc}-x64/dart-sass/src/dart`,
    ) as [string, string];
    expect(prove({ ...DEBIAN, [musl]: muslProgram(), [gnu]: program() })).toMatchObject({
      failures: [],
      notes: [{ file: musl }],
    });
    expect(failuresOf({ ...DEBIAN, [musl]: muslProgram() })).toHaveLength(1);
  });
});

describe("libraries that nothing loads", () => {
  test("a missing need is a note, and no failure", () => {
    const files = {
      ...DEBIAN,
      "/usr/bin/tool": program(),
      "/usr/lib/plugin.so": library({ needed: ["libgone.so"] }),
    };
    expect(failuresOf(files)).toEqual([]);
    expect(notesOf(files)).toEqual(["/usr/lib/plugin.so needs libgone.so, which is not in the image"]);
  });

  test("not what the image has elsewhere: the program that loads the plugin knows where", () => {
    const files = {
      ...DEBIAN,
      "/usr/bin/tool": program(),
      "/opt/app/plugin.so": library({ needed: ["libapp.so"] }),
      "/opt/app/libapp.so": library(),
    };
    expect(notesOf(files)).toEqual([]);
  });
});

describe("hostile images", () => {
  test("a file whose tables are outside of it", () => {
    const broken = elfObject(program({ needed: ["libx.so.1"] }));
    // e_phnum stays, the dynamic section is cut off.
    const files = { ...DEBIAN, "/app/tool": broken.subarray(0, broken.length - 64) };
    expect(failuresOf(files)).toEqual([
      "/app/tool cannot be loaded: its dynamic section is outside the file",
    ]);
  });

  test("libraries that need each other", () => {
    const files = {
      ...DEBIAN,
      "/app/tool": program({ needed: ["liba.so"], rpath: "/opt" }),
      "/opt/liba.so": library({ needed: ["libb.so", "liba.so"] }),
      "/opt/libb.so": library({ needed: ["liba.so"] }),
    };
    expect(failuresOf(files)).toEqual([]);
  });

  test("more places to look in than can be: an end, and a finding", () => {
    const path = Array.from({ length: 200 }, (_, at) => `/opt/${at}`).join(":");
    const needed = Array.from({ length: 1000 }, (_, at) => `lib${at}.so`);
    const tools = Object.fromEntries(
      Array.from({ length: 40 }, (_, at) => [`/app/tool${at}`, program({ needed, rpath: path })]),
    );
    const started = performance.now();
    const { failures } = prove({ ...DEBIAN, ...tools });
    expect(failures.length).toBe(200);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  test("the target of a link that grows, and one that leaves the root", () => {
    const links = new Map([
      ["/a", "a/a/a/a"],
      ["/up", "../../../etc/passwd"],
    ]);
    const paths = new Paths({ linkTarget: (path) => links.get(path) });
    expect(paths.real("/a/x")).toBeUndefined();
    expect(paths.real("/up")).toBe("/etc/passwd");
    expect(paths.realIn("/up/..", "x")).toBe("/etc/x");
  });
});

test("findings name the package; the remedy says what to do about each kind", () => {
  const finding = {
    kind: "library",
    file: "/a.so",
    library: "libpq.so.5",
    package: "psycopg2 2.9.9 (python)",
  } as const;
  expect(linkFindingText({ ...finding, root: "/usr/bin/x" })).toBe(
    "/a.so (psycopg2 2.9.9 (python)) needs libpq.so.5, which is not in the image; /usr/bin/x loads it",
  );
  expect(linkRemedy([finding])).toContain('on Alpine "so:libpq.so.5", on Debian usually libpq5.');
  expect(linkRemedy([{ kind: "library", file: "/a", library: "libicu_x1.so.72" }])).toContain("libicu-x1-72");
  for (const kind of ["interpreter", "version", "libc", "malformed", "limit"] as const)
    expect(linkRemedy([{ kind, file: "/a" }])).not.toContain("so:");
  expect(linkRemedy([{ ...finding, found: "/opt/libpq.so.5" }])).toContain("RUNPATH");
});
