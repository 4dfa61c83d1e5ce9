import type { Platform } from "@tgo/catalog";
import type { MachineProof } from "./machines/machine-proof.js";

/** What a smoke test of a variant found. */
export interface SmokeResult {
  readonly platform: Platform;
  /** The machine that the running variant reports: x86_64, aarch64. */
  readonly machine: string;
  /** One line per step: "nginx -t: exit 0 [emulated]". */
  readonly lines: readonly string[];
  /** Set if the native run of the same image told some of it. */
  readonly partial?: true;
  /** Whether it ran on a processor of its platform. */
  readonly native: boolean;
  /** What ran it in place of a processor, such as "QEMU 8.2.2"; absent natively, or if the emulator does not say. */
  readonly emulator?: string;
  /** The promised machines, in the catalog's order. */
  readonly machines: readonly MachineProof[];
}
