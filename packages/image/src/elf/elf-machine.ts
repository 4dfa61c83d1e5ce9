import { TgoError } from "@tgo/errors";
import { parsePlatform, type Platform } from "../platform.js";

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

/** Go's architecture names: `go tool dist list`. */
const MACHINES: Readonly<Record<string, number>> = {
  amd64: 62,
  "386": 3,
  arm64: 183,
  arm: 40,
  riscv64: 243,
  ppc64le: 21,
  s390x: 22,
  loong64: 258,
};

/** Not a CPU that an image could target: objects without a machine, kernel BPF, GPU code. */
const NEUTRAL: ReadonlySet<number> = new Set([0, 190, 224, 247]);

/** The `e_machine` of a platform's programs. @throws TgoError USAGE for an unknown architecture */
export function machineOf(platform: Platform): number {
  const { architecture } = parsePlatform(platform);
  const machine = MACHINES[architecture];
  if (machine !== undefined) return machine;
  throw new TgoError("USAGE", `no ELF machine is known for the platform "${platform}"`, {
    remedy: `Known architectures: ${Object.keys(MACHINES).join(", ")}.`,
  });
}

export function machineName(machine: number): string {
  return NAMES[machine] ?? `machine ${machine}`;
}

export function isNeutral(machine: number): boolean {
  return NEUTRAL.has(machine);
}
