import { join, posix } from "node:path";
import { fuzz, FUZZ_TIMEOUT_MS, type FuzzTarget } from "@tgo/testing";
import { expect, test } from "vitest";
import { bytesOf } from "../src/elf/file-bytes.js";
import { StreamedElf } from "../src/elf/streamed-elf.js";
import { programsOf } from "../src/elf/elf-machine.js";
import { readElfFacts } from "../src/elf/read-elf-facts.js";
import { filesOf, TreeBudget } from "../src/layers/layer-tree.js";
import { readLayer } from "../src/layers/read-layer.js";
import type { LinkTree } from "../src/link/link-tree.js";
import { readLoaderCache } from "../src/link/loader-files.js";
import { proveLinks } from "../src/link/prove-links.js";
import { TarReader, type TarEntry } from "../src/layers/tar-reader.js";
import { readPackages } from "../src/packages/package-files.js";
import { linkTreeOf } from "./link-text.js";
import { isWord } from "../src/packages/installed-package.js";

const corpus = (name: string): string => join(import.meta.dirname, "corpus", name);
const never = (): boolean => false;

/** What the parts of one input give, or why they are refused. */
function outcome<T>(parts: readonly Buffer[], read: (parts: readonly Buffer[]) => T): T | string {
  try {
    return read(parts);
  } catch (error) {
    // Anything else is a defect: a TypeError, a RangeError.
    if (!(error instanceof Error) || error.constructor !== Error) throw error;
    return error.message;
  }
}

function entriesOf(parts: readonly Buffer[]): TarEntry[] {
  const entries: TarEntry[] = [];
  const reader = new TarReader(
    () => ({ add: () => true, facts: () => undefined }),
    (entry) => entries.push(entry),
  );
  for (const part of parts) reader.write(part);
  reader.end();
  return entries;
}

/** With the checksums of its headers corrected, so that not only the checksum is tried. */
function withChecksums(archive: Buffer): Buffer {
  for (let at = 0; at + 512 <= archive.length; at += 512) {
    const block = archive.subarray(at, at + 512);
    if (block.toString("latin1", 257, 262) !== "ustar") continue;
    block.fill(" ", 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
  return archive;
}

async function layer(mediaType: string, parts: readonly Buffer[]): Promise<unknown> {
  const { root, diffId } = await readLayer(
    { mediaType, open: () => new Blob([...parts]).stream() as ReadableStream<Uint8Array> },
    new TreeBudget(),
  );
  return { diffId, files: [...filesOf(root)] };
}

/** The same layer, in one piece and in two, is the same. */
async function layerAlike(mediaType: string, input: Buffer, cut: number): Promise<void> {
  const whole = await layer(mediaType, [input]);
  expect(await layer(mediaType, [input.subarray(0, cut), input.subarray(cut)])).toEqual(whole);
}

/** A database of packages, read as the file of this path. */
function packageTarget(
  name: string,
  path: string,
  words: readonly string[],
  others: string[] = [],
): FuzzTarget {
  return {
    name,
    corpus: corpus(name.replaceAll(" ", "-")),
    words,
    declares: never,
    parse: (input) => {
      const files = [[path, input] as const, ...others.map((other) => [other, input] as const)];
      const inventory = readPackages(files);
      const { packages } = inventory;
      for (const found of packages) {
        expect(isWord(found.name)).toBe(true);
        for (const file of found.files ?? []) expect(file.startsWith("/")).toBe(true);
        const [first] = found.files ?? [];
        if (first !== undefined) expect(inventory.ownerOf(first)).toBeDefined();
      }
      // Two reads of the same are the same.
      expect(readPackages(files).packages).toEqual(packages);
    },
  };
}

const TAR = "application/vnd.oci.image.layer.v1.tar";

/** Whether every file counts as one that a loader takes. */
function isJudged({ elf }: LinkTree): boolean {
  return [...elf.keys()].every((path) => !path.startsWith("/usr/lib/debug/") && !path.endsWith(".debug"));
}

const TARGETS: FuzzTarget[] = [
  {
    name: "tar",
    corpus: corpus("tar"),
    words: ["ustar\u000000", "ustar  \0", "12 path=abc\n", "30 GNU.sparse.major=1\n", ".wh..wh..opq"],
    declares: never,
    parse: (input, cut) => {
      for (const archive of [input, withChecksums(Buffer.from(input))])
        expect(outcome([archive.subarray(0, cut), archive.subarray(cut)], entriesOf)).toEqual(
          outcome([archive], entriesOf),
        );
    },
  },
  {
    name: "files of a layer",
    corpus: corpus("tar"),
    words: [".wh.", ".wh..wh..opq", "../", "/", "./"],
    parse: async (input, cut) => layerAlike(TAR, withChecksums(input), cut),
  },
  {
    name: "gzip",
    corpus: corpus("gzip"),
    words: ["\x1f\x8b\x08"],
    parse: async (input, cut) => layerAlike(`${TAR}+gzip`, input, cut),
  },
  {
    name: "zstd",
    corpus: corpus("zstd"),
    parse: async (input, cut) => layerAlike(`${TAR}+zstd`, input, cut),
  },
  {
    name: "ELF",
    corpus: corpus("elf"),
    words: ["\x7fELF", "$ORIGIN/", "GNU\0", "\xff\xff\xff\xff\xff\xff\xff\x7f"],
    declares: never,
    parse: (input, cut) => {
      const streamed = new StreamedElf(input.length);
      for (const part of [input.subarray(0, cut), input.subarray(cut)])
        if (streamed.wanted) streamed.push(part);
      const facts = readElfFacts(bytesOf(input));
      expect(streamed.wanted ? readElfFacts(streamed) : undefined).toEqual(facts);
    },
  },
  {
    name: "link proof",
    corpus: corpus("link-proof"),
    words: [
      "\n/lib -> ",
      " rpath $ORIGIN/..:",
      " needed libx.so.1,",
      "\n/a/libx.so.1 soname ",
      " interpreter ",
    ],
    declares: never,
    parse: (input) => {
      const tree = linkTreeOf(input.toString("latin1"));
      const report = proveLinks(tree, { expected: programsOf("linux/amd64") });
      const named = new Set([...tree.elf].flatMap(([path, { soname }]) => [posix.basename(path), soname]));
      for (const { kind, file, library, found } of [...report.failures, ...report.notes]) {
        expect(tree.elf.has(file)).toBe(true);
        if (found !== undefined) expect(tree.elf.has(found)).toBe(true);
        // "Not in the image" is said of what is not in the image.
        else if (kind === "library" && library?.includes("/") === false && isJudged(tree))
          expect(named.has(library)).toBe(false);
      }
      const backwards = { ...tree, elf: new Map([...tree.elf].reverse()) };
      expect(proveLinks(backwards, { expected: programsOf("linux/amd64") })).toEqual(report);
    },
  },
  {
    name: "ld.so.cache",
    corpus: corpus("ld.so.cache"),
    words: ["ld.so-1.7.0\0", "glibc-ld.so.cache1.1", "libx.so.1\0", "\xff\xff\xff\xff"],
    declares: never,
    parse: (input) => {
      const cache = readLoaderCache(input);
      for (const [name, paths] of cache ?? [])
        for (const text of [name, ...paths]) expect(text).not.toContain("\0");
    },
  },
  packageTarget(
    "dpkg status",
    "/var/lib/dpkg/status",
    ["Package: x\n", "Status: install ok installed\n", "\n\n"],
    ["/var/lib/dpkg/info/a.list", "/var/lib/dpkg/info/a.md5sums"],
  ),
  packageTarget("apk installed", "/lib/apk/db/installed", ["P:x\n", "V:1\n", "F:usr\n", "R:x\n", "\n\n"]),
  packageTarget(
    "python metadata",
    "/usr/lib/python3/dist-packages/a-1.dist-info/METADATA",
    ["Name: x\n", "Version: 1\n", "\n\n", '"a""b",,\n', "../../../x,,\n"],
    ["/usr/lib/python3/dist-packages/a-1.dist-info/RECORD"],
  ),
  packageTarget("node package", "/app/node_modules/a/package.json", ['"name":', '"version":', "{}", "[["]),
];

test.each(TARGETS)("$name: fuzz", { timeout: FUZZ_TIMEOUT_MS }, fuzz);
