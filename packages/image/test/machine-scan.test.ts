import { describe, expect, it } from "vitest";
import type { ElfFacts } from "../src/elf/elf-facts.js";
import { MachineScan, type Misfit, type PromisedMachine } from "../src/machines/machine-scan.js";

const PI_4: PromisedMachine = { name: "Raspberry Pi 4", pageSize: 4096 };
const PI_5: PromisedMachine = { name: "Raspberry Pi 5 (16 KiB pages)", pageSize: 16384 };
const SERVER: PromisedMachine = { name: "a server with 64 KiB pages", pageSize: 65536 };
const X86_V2: PromisedMachine = { name: "x86-64-v2", pageSize: 4096, x86Level: 2 };

const library = (facts: Partial<ElfFacts> = {}): ElfFacts => ({
  class: 64,
  endianness: "little",
  machine: 183,
  type: 3,
  largestPageSize: 65536,
  ...facts,
});

function scan(machines: readonly PromisedMachine[], files: Readonly<Record<string, ElfFacts>>): Misfit[] {
  const each = new MachineScan(machines);
  for (const [path, facts] of Object.entries(files)) each.add(path, facts);
  return each.report();
}

describe("a file's pages", () => {
  it("must be as large as a machine's; each file that is not is named with the machines", () => {
    const files = {
      "/usr/lib/libsmall.so.1": library({ largestPageSize: 4096, soname: "libsmall.so.1" }),
      "/usr/lib/libfits.so.1": library(),
      "/app/main": library({ interpreter: "/lib/ld-linux-aarch64.so.1", needed: ["libsmall.so.1"] }),
      "/app/medium": library({ interpreter: "/lib/ld-linux-aarch64.so.1", largestPageSize: 16384 }),
      "/app/main.o": { ...library({ type: 1 }), largestPageSize: undefined } as unknown as ElfFacts,
    };
    expect(scan([PI_4, PI_5, SERVER], files)).toEqual([
      {
        path: "/app/medium",
        machines: [SERVER.name],
        why: "it is aligned for pages of 16 KiB",
        loaded: true,
      },
      {
        path: "/usr/lib/libsmall.so.1",
        machines: [PI_5.name, SERVER.name],
        why: "it is aligned for pages of 4 KiB",
        loaded: true,
      },
    ]);
    expect(scan([PI_4], files)).toEqual([]);
    expect(scan([], files)).toEqual([]);
  });

  it.each([
    ["a library that no file needs", "/opt/libdlopened.so", {}, false],
    ["a program at a fixed address", "/opt/tool", { type: 2 }, true],
    ["a static position-independent program", "/opt/tool", { pie: true as const }, true],
    ["a Python extension module", "/app/site-packages/_x.cpython-311-aarch64-linux-gnu.so", {}, true],
    ["one of the stable ABI", "/site/_x.abi3.so", {}, true],
    ["a Node addon", "/app/build/x.node", {}, true],
  ])("count as loaded or not: %s", (_, path, facts, loaded) => {
    const [found] = scan([PI_5], { [path]: library({ largestPageSize: 4096, ...facts }) });
    expect(found?.loaded).toBe(loaded);
  });

  it("of a library that is needed by its file's name count as well", () => {
    const files = {
      "/usr/lib/libplain.so": library({ largestPageSize: 4096 }),
      "/app/lib.so": library({ needed: ["/usr/lib/libplain.so"] }),
    };
    expect(scan([PI_5], files)).toMatchObject([{ loaded: true }]);
  });
});

describe("the x86 level that a note asks for", () => {
  const x86 = (x86IsaNeeded: number): ElfFacts =>
    library({ machine: 62, largestPageSize: 4096, x86IsaNeeded });

  it("must not be above a machine's", () => {
    const files = { "/app/v1.so": x86(1), "/app/v2.so": x86(3), "/app/v3.so": x86(4), "/app/v4.so": x86(15) };
    expect(scan([X86_V2], files).map(({ path, why }) => `${path}: ${why}`)).toEqual([
      "/app/v3.so: it needs x86-64-v3",
      "/app/v4.so: it needs x86-64-v4",
    ]);
    expect(scan([{ ...X86_V2, x86Level: 4 }], files)).toEqual([]);
  });

  it("is no matter where the loader chooses by the processor", () => {
    expect(scan([X86_V2], { "/usr/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/libz.so.1": x86(4) })).toEqual(
      [],
    );
  });
});
