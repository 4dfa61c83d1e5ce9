import { processorOf, type Machine, type Platform } from "@tgo/catalog";
import type { PromisedMachine } from "@tgo/image";
import type { RunMachine } from "./run-machine.js";

/** What is known of an image on a promised machine. Its files fit in any case: others fail the check. */
export interface MachineProof {
  /** The catalog's name of the machine, with its page size where that is not 4 KiB: "Raspberry Pi 5 (16 KiB pages)". */
  readonly name: string;
  /** Whether the smoke run was of this machine, or of a weaker one. */
  readonly state: "ok" | "not proven";
  /** Why it is not proven. */
  readonly told?: string;
}

/** @param run the machine of the smoke run; undefined if there was none */
export function machineProofs(
  platform: Platform,
  machines: readonly Machine[],
  run: RunMachine | undefined,
): MachineProof[] {
  return machines.map((machine) => {
    const name = machineName(machine);
    const told = whyNotProven(platform, machine, run);
    return told === undefined ? { name, state: "ok" } : { name, state: "not proven", told };
  });
}

function whyNotProven(platform: Platform, machine: Machine, run: RunMachine | undefined): string | undefined {
  if (run === undefined) return "not run";
  if (run.seen === undefined) return run.limit ?? "the machine of the run is unknown";
  const { level, pageSize } = run.seen;
  if (level > processorOf(platform, machine).level)
    return run.limit ?? `it ran on a stronger processor, ${levelName(platform, level)}`;
  if (pageSize < machine.pageSize) return run.limit ?? `it ran with pages of ${kibibytes(pageSize)}`;
  return undefined;
}

/** What files must fit. */
export function promisedMachines(platform: Platform, machines: readonly Machine[]): PromisedMachine[] {
  return machines.map((machine) => ({
    name: machineName(machine),
    pageSize: machine.pageSize,
    ...(platform === "linux/amd64" ? { x86Level: processorOf(platform, machine).level } : {}),
  }));
}

/** "Raspberry Pi 5 (16 KiB pages)" */
export function machineName({ name, pageSize }: Machine): string {
  return pageSize === 4096 ? name : `${name} (${kibibytes(pageSize)} pages)`;
}

/** What a processor of a level is: "x86-64-v2", "Armv8.0". */
export function levelName(platform: Platform, level: number): string {
  if (platform === "linux/amd64") return `x86-64-v${level}`;
  return ["Armv8.0", "Armv8.1 (LSE)", "Armv8.2"][level] ?? `level ${level}`;
}

export function kibibytes(bytes: number): string {
  return `${bytes / 1024} KiB`;
}

/** The remedy for who does not need the machines. */
export function leaveOut(platform: Platform, machines: readonly Machine[]): string {
  const names = machines.map(({ name }) => `"${name}"`).join(", ");
  return `If the service need not run on ${names}, leave ${machines.length === 1 ? "it" : "them"} out of machines["${platform}"] in tgo.catalog.json.`;
}
