import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TarReader, type ContentScan } from "../src/layers/tar-reader.js";
import { END_OF_ARCHIVE, type HeaderFields, paxRecord, tarEntry, tarHeader } from "./tar-header.js";

interface Seen {
  readonly type: string;
  readonly path: string;
  readonly target: string;
  readonly head: string;
}

/** The beginning of a file's content, as text. */
function head(): ContentScan<string> {
  let bytes: Buffer = Buffer.alloc(0);
  return {
    add: (part) => {
      bytes = Buffer.concat([bytes, part.subarray(0, 20 - bytes.length)]);
      return bytes.length < 20;
    },
    facts: () => bytes.toString(),
  };
}

async function read(chunks: Iterable<Uint8Array>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const reader = new TarReader(head, ({ type, path, target, facts = "" }) =>
    seen.push({ type, path, target, head: facts }),
  );
  await Promise.resolve();
  for (const chunk of chunks) reader.write(chunk);
  reader.end();
  return seen;
}
const readAll = (...parts: Buffer[]): Promise<Seen[]> => read([Buffer.concat([...parts, END_OF_ARCHIVE])]);

/** Cuts bytes into chunks of these sizes, repeated. */
function* chunked(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

const LONG = `${"directory/".repeat(22)}${"n".repeat(30)}`;
const LONGER = `${"directory/".repeat(40)}${"n".repeat(200)}`;
const ACCENTED = "Grüße/日本語.txt";

describe("archives of other programs", () => {
  let root = "";
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), "tgo-tar-"));
  });
  afterAll(() => {
    rmSync(root, { recursive: true });
  });

  /** Writes the files, then lists them in the order in which they go into the archive. */
  function prepare(
    folder: string,
    names: readonly string[],
  ): { cwd: string; members: string[]; expected: Seen[] } {
    const cwd = join(root, folder);
    mkdirSync(join(cwd, "empty"), { recursive: true });
    for (const name of names) {
      mkdirSync(join(cwd, dirname(name)), { recursive: true });
      writeFileSync(join(cwd, name), `${name.length} characters, and more`);
    }
    const [first = ""] = names;
    linkSync(join(cwd, first), join(cwd, "hard"));
    symlinkSync(first, join(cwd, "soft"));
    return {
      cwd,
      members: ["empty", ...names, "hard", "soft"],
      expected: [
        { type: "directory", path: "empty/", target: "", head: "" },
        ...names.map((path) => ({
          type: "file",
          path,
          target: "",
          head: `${path.length} characters, and more`.slice(0, 20),
        })),
        { type: "hard link", path: "hard", target: first, head: "" },
        { type: "symbolic link", path: "soft", target: first, head: "" },
      ],
    };
  }
  const shown = (entries: Seen[]): Seen[] =>
    // Python leaves out the slash after a directory.
    entries.map((entry) => (entry.path === "empty" ? { ...entry, path: "empty/" } : entry));

  test.each([
    ["v7", ["short"]],
    ["oldgnu", [LONGER, ACCENTED, "short"]],
    ["gnu", [LONGER, ACCENTED, "short"]],
    ["ustar", ["short", LONG]],
    ["posix", [LONGER, ACCENTED, "short"]],
  ])("GNU tar, format %s", async (format, names) => {
    const { cwd, members, expected } = prepare(`gnu-${format}`, names);
    const archive = execFileSync("tar", [`--format=${format}`, "--no-recursion", "-c", ...members], { cwd });
    expect(await read([archive])).toEqual(expected);
  });

  test.each([
    ["USTAR", ["short", LONG]],
    ["GNU", [LONGER, ACCENTED, "short"]],
    ["PAX", [LONGER, ACCENTED, "short"]],
  ])("Python's tarfile, format %s", async (format, names) => {
    const { cwd, members, expected } = prepare(`python-${format}`, names);
    const file = join(cwd, "archive.tar");
    const program =
      "import sys, tarfile\n" +
      `archive = tarfile.open(sys.argv[1], "w", format=tarfile.${format}_FORMAT)\n` +
      "for name in sys.argv[2:]: archive.add(name, recursive=False)\n" +
      "archive.close()\n";
    execFileSync("python3", ["-c", program, file, ...members], { cwd });
    expect(shown(await read([readFileSync(file)]))).toEqual(expected);
  });

  test("git archive: its global header is a comment", async () => {
    const cwd = join(root, "git");
    mkdirSync(cwd);
    writeFileSync(join(cwd, "file"), "content");
    const git = (...args: string[]): Buffer =>
      execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd });
    git("init", "-q");
    git("add", "file");
    git("commit", "-q", "-m", "first");
    expect(await read([git("archive", "HEAD")])).toEqual([
      { type: "file", path: "file", target: "", head: "content" },
    ]);
  });

  test("a sparse file, which not every program unpacks, is refused", async () => {
    const cwd = join(root, "sparse");
    mkdirSync(cwd);
    execFileSync("truncate", ["-s", "1M", "file"], { cwd });
    for (const format of ["gnu", "posix"]) {
      const archive = execFileSync("tar", ["-S", `--format=${format}`, "-c", "file"], { cwd });
      await expect(read([archive])).rejects.toThrow(/unsupported type "S"|sparse/);
    }
  });
});

describe("headers", () => {
  test.each([
    ["V7: no magic, no prefix", tarEntry({ magic: "", prefix: "ignored" }, "x"), "file"],
    ["ustar: a prefix", tarEntry({ prefix: "usr/lib" }, "x"), "usr/lib/file"],
    ["GNU: no prefix, but times", tarEntry({ magic: "ustar  \0", prefix: "00000000001\0" }, "x"), "file"],
    [
      "a time before 1970",
      Buffer.concat([
        withField(136, Buffer.alloc(12, 0xff), { size: 1 }),
        Buffer.from("x"),
        Buffer.alloc(511),
      ]),
      "file",
    ],
    ["a checksum of signed bytes", tarEntry({ name: "fïle", signedSum: true }, "x"), "fïle"],
    ["a size in base 256", tarEntry({ binarySize: true }, "x"), "file"],
    ["an old file", tarEntry({ type: "\0" }, "x"), "file"],
  ])("%s", async (_, entry, path) => {
    expect(await readAll(entry)).toEqual([{ type: "file", path, target: "", head: "x" }]);
  });

  test.each([
    ["a device without a number", "3", "null device"],
    ["a block device", "4", "device"],
    ["a FIFO", "6", "device"],
    ["a directory", "5", "directory"],
    ["a hard link", "1", "hard link"],
    ["a symbolic link", "2", "symbolic link"],
  ])("the size of %s says nothing: it has no content", async (_, type, seen) => {
    const entries = await readAll(tarHeader({ type, size: 5000 }), tarEntry({ name: "next" }, "x"));
    expect(entries.map((entry) => [entry.type, entry.path])).toEqual([
      [seen, "file"],
      ["file", "next"],
    ]);
  });

  test("an old file with a slash at its end is a directory", async () => {
    expect((await readAll(tarEntry({ name: "d/", type: "\0" })))[0]?.type).toBe("directory");
  });

  test("a file of 9 GiB passes by", async () => {
    const chunk = Buffer.alloc(64 * 1024 * 1024, "x");
    function* archive(): Generator<Buffer> {
      yield tarHeader({ name: "large", size: 9 * 1024 ** 3, binarySize: true });
      for (let at = 0; at < 144; at++) yield chunk;
      yield tarEntry({ name: "next" }, "x");
      yield END_OF_ARCHIVE;
    }
    expect((await read(archive())).map(({ path }) => path)).toEqual(["large", "next"]);
  });

  test("names that are not UTF-8 stay different from each other and from all others", async () => {
    const names = [Buffer.from([0x61, 0xff]), Buffer.from([0x61, 0xfe]), "a\\xff", "a\u{fffd}", "aÿ"];
    const entries = await readAll(...names.map((name) => tarEntry({ name }, "x")));
    expect(new Set(entries.map(({ path }) => path)).size).toBe(names.length);
  });
});

test("a file has the size of its content, which a pax header may give; other entries have none", () => {
  const sizes: number[] = [];
  const reader = new TarReader(head, ({ stat: { size } }) => sizes.push(size));
  reader.write(
    Buffer.concat([
      tarEntry({ name: "a" }, "abc"),
      tarEntry({ type: "x" }, paxRecord("size", "2")),
      tarEntry({ name: "b" }, "xy"),
      tarEntry({ type: "2", target: "a" }),
      END_OF_ARCHIVE,
    ]),
  );
  reader.end();
  expect(sizes).toEqual([3, 2, 0]);
});

describe("extended headers", () => {
  const pax = (...records: [string, string][]): Buffer =>
    tarEntry({ name: "pax", type: "x" }, records.map(([key, value]) => paxRecord(key, value)).join(""));

  test("a pax header names the next entry only, and its size wins", async () => {
    const entries = await readAll(
      pax(["path", "päth=1"], ["linkpath", "t"], ["size", "3"], ["comment", ""]),
      tarHeader({ size: 7 }),
      Buffer.concat([Buffer.from("abc"), Buffer.alloc(509)]),
      tarEntry({ name: "next" }, "x"),
    );
    expect(entries).toEqual([
      { type: "file", path: "päth=1", target: "t", head: "abc" },
      { type: "file", path: "next", target: "", head: "x" },
    ]);
  });

  test("an empty pax value leaves the header's own", async () => {
    expect((await readAll(pax(["path", ""], ["size", ""]), tarEntry({ name: "own" }, "x")))[0]).toMatchObject(
      {
        path: "own",
        head: "x",
      },
    );
  });

  test("GNU long names win over everything else", async () => {
    const entries = await readAll(
      tarEntry({ type: "L" }, "long name\0"),
      tarEntry({ type: "K" }, "long target\0"),
      pax(["path", "other"], ["linkpath", "other"]),
      tarEntry({ type: "1", target: "short" }),
    );
    expect(entries).toEqual([{ type: "hard link", path: "long name", target: "long target", head: "" }]);
  });

  test.each<[string, Buffer[], string]>([
    [
      "longer than 1 MiB",
      [tarHeader({ type: "x", size: 2 ** 20 + 1 })],
      "an extended header of 1048577 bytes",
    ],
    ["a long name of 1 GiB", [tarHeader({ type: "L", size: 2 ** 30 })], "an extended header of"],
    ["without a newline", [tarEntry({ type: "x" }, "8 a=bcde")], "malformed"],
    ["of a wrong length", [tarEntry({ type: "x" }, "99 a=b\n")], "malformed"],
    ["without a length", [tarEntry({ type: "x" }, "a=b\n")], "malformed"],
    ["without a value", [tarEntry({ type: "x" }, "6 abc\n")], "malformed"],
    ["a name with a NUL byte", [pax(["path", "a\0b"])], "NUL"],
    ["a negative size", [pax(["size", "-1"]), tarHeader()], "invalid size"],
    [
      "a global name, which only some programs apply",
      [tarEntry({ name: "pax_global_header", type: "g" }, paxRecord("path", "a"))],
      "a global pax header",
    ],
    [
      "a global header named after a file, which some engines delete",
      [tarEntry({ name: "etc/passwd", type: "g" }, paxRecord("comment", "a"))],
      "a global pax header",
    ],
    [
      "a name for a global header",
      [
        pax(["path", "a"]),
        tarEntry({ name: "pax_global_header", type: "g" }, paxRecord("comment", "a")),
        tarEntry({}),
      ],
      "a global pax header",
    ],
    ["a time that is none", [pax(["mtime", "yesterday"]), tarEntry({})], "invalid mtime"],
    ["an owner that is no number", [pax(["uid", "root"]), tarEntry({})], "invalid uid"],
    ["a size in hexadecimal", [pax(["size", "0x1"]), tarEntry({}, "x")], "invalid size"],
    ["a size of 2 EiB", [pax(["size", "2305843009213693952"]), tarEntry({})], "invalid size"],
    ["a sparse file", [pax(["GNU.sparse.major", "1"]), tarEntry({}, "x")], "sparse"],
    [
      "an attribute that hides a directory from overlayfs",
      [pax(["SCHILY.xattr.trusted.overlay.opaque", "y"]), tarEntry({ type: "5" })],
      "overlayfs",
    ],
    [
      "the same for unprivileged users",
      [pax(["SCHILY.xattr.user.overlay.whiteout", "y"]), tarEntry({})],
      "overlayfs",
    ],
    ["at the end of the archive", [pax(["path", "a"])], "ends after an extended header"],
  ])("%s is refused", async (_, parts, why) => {
    await expect(readAll(...parts)).rejects.toThrow(why);
  });
});

describe("the end of an archive", () => {
  const file = tarEntry({}, "x");

  test.each([
    ["nothing at all", []],
    ["a zero block", [Buffer.alloc(512)]],
    ["zeros only", [Buffer.alloc(10_240)]],
    ["empty chunks", [Buffer.alloc(0), Buffer.alloc(0)]],
  ])("%s is an empty archive", async (_, chunks) => {
    expect(await read(chunks)).toEqual([]);
  });

  test("need not be marked", async () => {
    expect(await read([file])).toHaveLength(1);
    expect(await read([file, Buffer.alloc(512)])).toHaveLength(1);
  });

  test("what follows it is ignored, and read: its digest is checked by whoever sent it", async () => {
    let ended = false;
    function* archive(): Generator<Buffer> {
      yield* [file, END_OF_ARCHIVE, Buffer.from("anything"), tarEntry({ name: "hidden" })];
      ended = true;
    }
    expect(await read(archive())).toHaveLength(1);
    expect(ended).toBe(true);
  });

  test("a zero block between entries is refused: some programs stop there, others go on", async () => {
    await expect(readAll(file, Buffer.alloc(512), file)).rejects.toThrow("a lone zero block");
  });
});

describe("what is not an archive is refused", () => {
  const broken = (at: number, value: number): Buffer => {
    const block = tarHeader({ size: 1 });
    block[at] = value;
    return block;
  };
  test.each([
    ["text", Buffer.alloc(1024, "x"), "wrong checksum"],
    ["a changed byte", broken(0, 0x21), "wrong checksum"],
    ["less than a block", Buffer.from("x"), "truncated"],
    ["a type nobody knows", tarEntry({ type: "Z" }), 'unsupported type "Z"'],
    [
      "a contiguous file, which container engines do not know",
      tarEntry({ type: "7" }, "x"),
      "unsupported type",
    ],
    ["a directory of GNU's backups", tarEntry({ type: "D" }, "Yname\0\0"), "unsupported type"],
    ["a sparse file of GNU tar", tarEntry({ type: "S" }), "unsupported type"],
    ["a volume label", tarEntry({ type: "V" }), "unsupported type"],
    ["a mode that is no number", withField(100, "rwxr-xr"), "invalid number"],
    ["an owner that is no number", withField(108, "root"), "invalid number"],
    ["a time that is no number", withField(136, "today"), "invalid number"],
    ["a time beyond all bounds", withField(136, Buffer.alloc(12, 0xbf)), "invalid number"],
    ["a device that is no number", withField(329, "sda"), "invalid number"],
    [
      "GNU: a prefix, which Go takes for one when it is no time",
      tarEntry({ magic: "ustar  \0", prefix: "usr/lib" }, "x"),
      "invalid number",
    ],
    [
      "a checksum in base 256",
      withField(148, Buffer.from([0x80, 0, 0, 0, 0, 0, 0x12, 0x34])),
      "wrong checksum",
    ],
    ["a negative size", withField(124, Buffer.alloc(12, 0xff)), "invalid number"],
    [
      "a size beyond all bounds",
      withField(124, Buffer.from([0x80, ...Array<number>(11).fill(0x7f)])),
      "invalid number",
    ],
    ["a size that is no number", withField(124, Buffer.from("0000000008\0 ")), "invalid number"],
  ])("%s", async (_, bytes, why) => {
    await expect(read([bytes])).rejects.toThrow(why);
  });
});

describe("properties", () => {
  const name = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((text) => !/[\0/]/.test(text));
  const entry = fc.oneof(
    fc
      .tuple(name, fc.string({ maxLength: 2000 }))
      .map(([path, content]) => tarEntry({ name: path }, content)),
    name.map((path) => tarEntry({ name: path, type: "5" })),
    name.map((target) => tarEntry({ name: "link", type: "2", target })),
    fc
      .tuple(name, name)
      .map(([a, b]) =>
        Buffer.concat([
          tarEntry({ type: "x" }, paxRecord("path", `${a}/${b}`)),
          tarEntry({ name: a }, "pax"),
        ]),
      ),
    fc
      .tuple(name, name)
      .map(([a, b]) => Buffer.concat([tarEntry({ type: "L" }, `${a}/${b}\0`), tarEntry({}, "long")])),
  );
  const archive = fc.array(entry, { maxLength: 8 }).map((parts) => Buffer.concat([...parts, END_OF_ARCHIVE]));

  test("the chunks that an archive arrives in do not matter", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(archive, sizes, async (bytes, cuts) => {
        expect(await read(chunked(bytes, cuts))).toEqual(await read([bytes]));
      }),
    );
  });

  test("a truncated archive is refused, or is a shorter archive: never another one", async () => {
    await fc.assert(
      fc.asyncProperty(archive, fc.nat(), async (bytes, cut) => {
        const whole = await read([bytes]);
        const part = await read([bytes.subarray(0, cut % bytes.length)]).catch(() => undefined);
        if (part !== undefined) expect(part).toEqual(whole.slice(0, part.length));
      }),
    );
  });

  test("rubbish is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async (bytes) => {
        if (bytes.every((byte) => byte === 0)) return;
        await expect(read([bytes])).rejects.toThrow();
      }),
    );
  });
});

/** A header with these bytes in one field. */
function withField(at: number, value: string | Buffer, fields: HeaderFields = {}): Buffer {
  const block = tarHeader(fields);
  const write = (): void => void Buffer.from(value).copy(block, at);
  write();
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  if (at === 148) write();
  return block;
}
