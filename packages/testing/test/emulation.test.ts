import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emulationWorks, foreignHandler } from "../src/emulation.js";

const AARCH64 =
  "offset 0\nmagic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n";
const RISCV =
  "offset 0\nmagic 7f454c460201010000000000000000000200f300\nmask ffffffffffffff00fffffffffffffffffeffffff\n";

describe("emulation on an amd64 machine", () => {
  let binfmt: string;
  beforeEach(async () => {
    binfmt = await mkdtemp(join(tmpdir(), "tgo-binfmt-"));
    // Reading `register` fails on the real file system; its text must not matter.
    await writeFile(join(binfmt, "register"), `enabled\nflags: OCF\n${AARCH64}`);
    await writeFile(join(binfmt, "status"), "enabled\n");
  });
  afterEach(async () => {
    await rm(binfmt, { recursive: true });
  });

  it.each([
    {
      handler: "Debian's",
      name: "qemu-aarch64",
      text: `enabled\ninterpreter /usr/bin/qemu-aarch64-static\nflags: OCF\n${AARCH64}`,
      works: true,
    },
    {
      handler: "one of another name",
      name: "arm64",
      text: `enabled\ninterpreter /x/qemu\nflags: POCF\n${AARCH64}`,
      works: true,
    },
    {
      handler: "one that is switched off",
      name: "qemu-aarch64",
      text: `disabled\ninterpreter /usr/bin/q\nflags: OCF\n${AARCH64}`,
      works: false,
    },
    {
      handler: "one that images cannot reach",
      name: "qemu-aarch64",
      text: `enabled\ninterpreter /usr/bin/q\nflags: OC\n${AARCH64}`,
      works: false,
    },
    {
      handler: "another machine's",
      name: "qemu-riscv64",
      text: `enabled\ninterpreter /usr/bin/q\nflags: OCF\n${RISCV}`,
      works: false,
    },
  ])("with $handler handler: $works", async ({ name, text, works }) => {
    await writeFile(join(binfmt, name), text);
    expect(await emulationWorks(foreignHandler("x64"), binfmt)).toBe(works);
  });

  it("does not work without a handler, or without binfmt_misc", async () => {
    expect(await emulationWorks(foreignHandler("x64"), binfmt)).toBe(false);
    expect(await emulationWorks(foreignHandler("x64"), join(binfmt, "absent"))).toBe(false);
  });
});

describe("the other architecture", () => {
  it("is arm64 on amd64, and amd64 on arm64", () => {
    expect(foreignHandler("x64").name).toBe("qemu-aarch64");
    expect(foreignHandler("arm64").name).toBe("qemu-x86_64");
  });

  it("is an error on any other machine", () => {
    expect(() => foreignHandler("riscv64")).toThrow(/neither amd64 nor arm64/);
  });
});
