import { AARCH64, elfFile, elfObject, type ElfSpec, X86_64 } from "@tgo/testing";
import { describe, expect, test } from "vitest";
import { bytesOf, readElfFacts, StreamedElf, type ElfFacts } from "../src/index.js";

const read = (spec: ElfSpec): ElfFacts | undefined => readElfFacts(bytesOf(elfObject(spec)));

/** Reads it as a layer's stream would, in chunks. */
function stream(file: Buffer, chunk: number): ElfFacts | undefined {
  const streamed = new StreamedElf(file.length);
  for (let at = 0; at < file.length; at += chunk) streamed.push(file.subarray(at, at + chunk));
  return readElfFacts(streamed);
}

const LIBRARY: ElfSpec = {
  needed: ["libpq.so.5", "libc.so.6"],
  soname: "libx.so.1",
  rpath: "$ORIGIN/../lib",
  runpath: "/opt/lib:$ORIGIN",
  needs: { "libc.so.6": ["GLIBC_2.34", "GLIBC_2.38", "GLIBC_ABI_DT_RELR?"], "libpq.so.5": ["RHPG_9.6"] },
  defines: ["X_1.0", "X_1.1"],
};
const FACTS: Partial<ElfFacts> = {
  class: 64,
  endianness: "little",
  machine: X86_64,
  type: 3,
  needed: ["libpq.so.5", "libc.so.6"],
  soname: "libx.so.1",
  rpath: "$ORIGIN/../lib",
  runpath: "/opt/lib:$ORIGIN",
  versionsNeeded: [
    { library: "libc.so.6", versions: ["GLIBC_2.34", "GLIBC_2.38"] },
    { library: "libpq.so.5", versions: ["RHPG_9.6"] },
  ],
  versionsDefined: ["X_1.0", "X_1.1"],
  largestPageSize: 65536,
};

describe("the facts of an ELF file", () => {
  test("a library: what it needs and defines, and where it looks", () => {
    expect(read(LIBRARY)).toEqual(FACTS);
  });

  test.each([
    ["in 32 bits", { bits: 32 }, { class: 32 }],
    ["with the other byte order", { endian: "big" }, { endianness: "big" }],
    ["at other addresses than offsets", { base: 0x400000 }, {}],
    ["after a lot of code", { filler: 3_000_000 }, {}],
  ] as const)("the same %s", (_, change, expected) => {
    expect(read({ ...LIBRARY, ...change })).toEqual({ ...FACTS, ...expected });
  });

  test("a program: its interpreter and flags", () => {
    const program = read({ interpreter: "/lib/ld-linux-aarch64.so.1", machine: AARCH64, flags: 0x08000801 });
    expect(program).toMatchObject({
      machine: AARCH64,
      interpreter: "/lib/ld-linux-aarch64.so.1",
      pie: true,
      noDefaultLibraries: true,
    });
  });

  test.each([
    [4096, 0, 4096],
    [65536, 0, 65536],
    [0x200000, 0x400000, 0x200000],
    [65536, 0x1000, 4096],
    [1, 0, 1],
  ])("aligned to %d, %d from its offset: pages up to %d", (alignment, base, largestPageSize) => {
    expect(read({ needed: ["libc.so.6"], alignment, base })).toMatchObject({ largestPageSize });
  });

  test.each([true, false])("what its GNU properties say, in an old note: %s", (oldNote) => {
    const properties = { 0xc0000002: 3, 0xc0008002: 0b111, 0xc0010002: 0xff };
    expect(read({ properties, oldNote })).toMatchObject({ x86IsaNeeded: 0b111 });
    expect(read({ properties: { 0xc0000000: 3 }, machine: AARCH64, oldNote })).toMatchObject({
      aarch64Features: 3,
    });
    expect(read({ properties, bits: 32, oldNote })).toMatchObject({ x86IsaNeeded: 0b111 });
    expect(read({ properties, machine: AARCH64, oldNote })).not.toHaveProperty("x86IsaNeeded");
  });

  test.each([1, 7, 64, 4096, 1e9])("the same from a stream in chunks of %d bytes", (chunk) => {
    expect(stream(elfObject(LIBRARY), chunk)).toEqual(FACTS);
  });

  test("a stream keeps nothing of a file that is not ELF", () => {
    const text = new StreamedElf(100);
    text.push(Buffer.from("#!/bin/sh\nexec /usr/bin/python\n"));
    expect(text.wanted).toBe(false);
    expect(readElfFacts(text)).toBeUndefined();
    const short = new StreamedElf(4);
    short.push(Buffer.from("\x7fELF", "latin1"));
    expect(readElfFacts(short)).toBeUndefined();
  });

  test("a stream of a large file: its names come first, and its dynamic section is kept wherever it is", () => {
    expect(stream(elfObject({ ...LIBRARY, filler: 40e6 }), 65536)).toEqual(FACTS);
  });

  test("a stream of a large file keeps no more than its bounds, and says when that was not enough", () => {
    const file = elfObject({ ...LIBRARY, filler: 40e6 });
    const streamed = new StreamedElf(file.length);
    for (let at = 0; at < file.length; at += 65536) streamed.push(file.subarray(at, at + 65536));
    expect(streamed.read(30e6, 10)).toBeUndefined();
    expect(streamed.read(0, 30e6)).toBeUndefined();
    const late = elfObject({ ...LIBRARY, filler: 30e6, namesLate: true });
    expect(stream(late, 65536)).toMatchObject({
      machine: X86_64,
      problem: "a name is in a part of a large file that is not kept",
    });
  });

  test("a header alone has no problem: nothing refers to anything", () => {
    expect(readElfFacts(bytesOf(elfFile(X86_64)))).toEqual({
      class: 64,
      endianness: "little",
      machine: X86_64,
      type: 0,
    });
    expect(readElfFacts(bytesOf(Buffer.from("text")))).toBeUndefined();
  });
});

describe("hostile files", () => {
  const file = elfObject({
    ...LIBRARY,
    interpreter: "/lib64/ld-linux-x86-64.so.2",
    properties: { 0xc0008002: 1 },
  });

  test("a file that is cut off anywhere has a problem, and what was read before", () => {
    for (let length = 20; length < file.length; length++)
      expect(readElfFacts(bytesOf(file.subarray(0, length)))).toMatchObject({
        machine: X86_64,
        problem: expect.any(String) as string,
      });
  });

  test("any 32 bits replaced: no throw, no endless loop, bounded facts", () => {
    for (const value of [0, 1, 0x7fffffff, 0xffffffff, 64])
      for (let at = 18; at + 4 <= file.length; at++) {
        const broken = Buffer.from(file);
        broken.writeUInt32LE(value, at);
        const facts = readElfFacts(bytesOf(broken));
        if (facts !== undefined) expect(JSON.stringify(facts).length).toBeLessThan(3000);
      }
  });

  test.each([
    ["too many versions", { needs: { "libc.so.6": Array.from({ length: 5000 }, (_, at) => `V_${at}`) } }],
    ["names without end", { needed: Array.from({ length: 3000 }, () => "x".repeat(4000)) }],
    ["a name of 5000 bytes", { soname: "x".repeat(5000) }],
    ["an interpreter of 5000 bytes", { interpreter: "x".repeat(5000) }],
    ["a dynamic section of 5000 entries", { needed: Array.from({ length: 5000 }, () => "x") }],
  ])("%s", (_, spec) => {
    expect(read(spec)).toMatchObject({ problem: expect.any(String) as string });
  });
});
