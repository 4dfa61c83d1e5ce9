import * as v from "@tgo/schemas";
import type { Platform } from "./platform.js";

/** What a processor is compared by. */
export interface Processor {
  /**
   * Instructions that it has, in the platform's order: a processor runs what is for its level or a lower one. amd64: the
   * levels 1 to 4 of the psABI; arm64: 0 is Armv8.0, 1 has LSE atomics (Armv8.1), 2 dot products too (Armv8.2 and later).
   * @see https://gitlab.com/x86-psABIs/x86-64-ABI
   */
  readonly level: number;
  /** The processor that QEMU emulates in its place: one without instructions that this one lacks. */
  readonly qemu: string;
}

/** QEMU's default with exactly the instructions of x86-64-v2: its named models have more, which it warns about. */
const X86_V2 = "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt";

/** By platform and name. */
export const PROCESSORS = {
  "linux/amd64": {
    "x86-64-v1": { level: 1, qemu: "qemu64" },
    "x86-64-v2": { level: 2, qemu: X86_V2 },
    "x86-64-v3": { level: 3, qemu: "Haswell" },
    // QEMU emulates no AVX-512.
    "x86-64-v4": { level: 4, qemu: "Haswell" },
  },
  "linux/arm64": {
    "cortex-a53": { level: 0, qemu: "cortex-a53" },
    "cortex-a57": { level: 0, qemu: "cortex-a57" },
    "cortex-a72": { level: 0, qemu: "cortex-a72" },
    "cortex-a76": { level: 2, qemu: "cortex-a76" },
    "neoverse-n1": { level: 2, qemu: "neoverse-n1" },
    "neoverse-v1": { level: 2, qemu: "neoverse-n1" },
    "neoverse-v2": { level: 2, qemu: "neoverse-n1" },
    "apple-m1": { level: 2, qemu: "neoverse-n1" },
  },
} as const satisfies Record<Platform, Record<string, Processor>>;

const Name = v.pipe(v.string(), v.nonEmpty(), v.description("As reports name it: Raspberry Pi 4."));

function machinesOf<T extends readonly [string, ...string[]]>(
  processors: T,
  pages: readonly [number, ...number[]],
) {
  return v.array(
    v.strictObject({
      name: Name,
      processor: v.pipe(
        v.picklist(processors),
        v.description("The machine's processor, or one that has no more instructions."),
      ),
      pageSize: v.pipe(
        v.optional(v.picklist(pages), 4096),
        v.description("Size of the kernel's memory pages in bytes."),
      ),
    }),
  );
}

function namesOf(platform: Platform): [string, ...string[]] {
  return Object.keys(PROCESSORS[platform]) as [string, ...string[]];
}

/** A machine that images must run on. */
export interface Machine {
  readonly name: string;
  readonly processor: string;
  /** In bytes. */
  readonly pageSize: number;
}

/** Machines that images are promised to run on, by platform. */
export const Machines = v.strictObject({
  "linux/amd64": v.optional(machinesOf(namesOf("linux/amd64"), [4096]), [
    { name: "x86-64-v2 PCs and servers", processor: "x86-64-v2" },
  ]),
  "linux/arm64": v.optional(machinesOf(namesOf("linux/arm64"), [4096, 16384, 65536]), [
    { name: "Raspberry Pi 4", processor: "cortex-a72" },
    { name: "Raspberry Pi 5", processor: "cortex-a76", pageSize: 16384 },
    { name: "AWS Graviton2", processor: "neoverse-n1" },
    { name: "Apple silicon", processor: "apple-m1" },
  ]),
});
export type Machines = v.InferOutput<typeof Machines>;

/** A processor of the catalog. */
export function processorOf(platform: Platform, { processor }: Machine): Processor {
  const known: Readonly<Record<string, Processor>> = PROCESSORS[platform];
  return known[processor] ?? { level: 0, qemu: processor };
}
