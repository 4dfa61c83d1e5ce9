import { TgoError } from "@tgo/errors";
import { parsePlatform, type Platform } from "../platform.js";
import type { ElfHeader } from "./elf-header.js";

/** `e_machine` values: https://www.sco.com/developers/gabi/latest/ch4.eheader.html; names as readelf's users know them. */
const NAMES: Readonly<Record<number, string>> = {
  0: "none",
  2: "sparc",
  3: "i386",
  8: "mips",
  20: "ppc",
  21: "ppc64",
  22: "s390",
  40: "arm",
  43: "sparcv9",
  62: "x86-64",
  183: "aarch64",
  190: "cuda",
  224: "amdgpu",
  243: "riscv",
  247: "bpf",
  258: "loongarch",
};

const little = (machine: number, bits: 32 | 64): ElfHeader => ({
  class: bits,
  endianness: "little",
  machine,
});

/** By Go's architecture names (`go tool dist list`): what its Linux programs are. */
const PROGRAMS: Readonly<Record<string, ElfHeader>> = {
  amd64: little(62, 64),
  "386": little(3, 32),
  arm64: little(183, 64),
  arm: little(40, 32),
  riscv64: little(243, 64),
  ppc64le: little(21, 64),
  s390x: { class: 64, endianness: "big", machine: 22 },
  loong64: little(258, 64),
};

/** Not a CPU that an image could target: objects without a machine, kernel BPF, GPU code. */
const NEUTRAL: ReadonlySet<number> = new Set([0, 190, 224, 247]);

/** The ELF header of a platform's programs. @throws TgoError USAGE for an unknown architecture */
export function programsOf(platform: Platform): ElfHeader {
  const { architecture } = parsePlatform(platform);
  const program = PROGRAMS[architecture];
  if (program !== undefined) return program;
  throw new TgoError("USAGE", `no ELF machine is known for the platform "${platform}"`, {
    remedy: `Known architectures: ${Object.keys(PROGRAMS).join(", ")}.`,
  });
}

/** Whether {@link programsOf} knows what the platform's programs are. */
export function knowsPrograms(platform: Platform): boolean {
  const [os = "", architecture = ""] = platform.split("/");
  return os === "linux" && Object.hasOwn(PROGRAMS, architecture);
}

/** With word size and byte order where they are not the usual ones: "x86-64 (32-bit)" is x32. */
export function machineName({ machine, class: bits, endianness }: ElfHeader): string {
  const usual = Object.values(PROGRAMS).find((program) => program.machine === machine);
  const unusual = [
    ...(usual !== undefined && usual.class !== bits ? [`${bits}-bit`] : []),
    ...(usual !== undefined && usual.endianness !== endianness ? [`${endianness}-endian`] : []),
  ];
  const name = NAMES[machine] ?? `machine ${machine}`;
  return unusual.length === 0 ? name : `${name} (${unusual.join(", ")})`;
}

export function isNeutral({ machine }: ElfHeader): boolean {
  return NEUTRAL.has(machine);
}
