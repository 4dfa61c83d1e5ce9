import type { Report, ServiceReport, SmokeReport, VariantReport } from "./report.js";
import { count, duration, size } from "./quantities.js";

/** Foreign ELF files to list; a wrong base image has thousands. */
const MAX_FOREIGN = 10;

/** The services with at least one variant about which something is known. */
export function servicesWithVariants(report: Report): ServiceReport[] {
  return report.services.filter(({ variants }) => variants.some(isKnown));
}

export function isKnown({ digest, size, elf, smoke }: VariantReport): boolean {
  return [digest, size, elf, smoke].some((field) => field !== undefined);
}

export function variantSize(variant: VariantReport): string {
  return variant.size === undefined ? "-" : size(variant.size);
}

/**
 * How many files were checked, how many are ELF, whether all of those match the platform, and whether programs and
 * extension modules find their libraries.
 */
export function fileSummary({ elf }: VariantReport): string[] {
  if (elf === undefined) return ["not checked"];
  const { files, foreign, links } = elf;
  const outcome = foreign.length > 0 ? `${foreign.length} FOREIGN` : "all match";
  return [
    `${files} checked`,
    elf.elf === 0 ? "no ELF" : `${elf.elf} ELF, ${outcome}`,
    ...(links === undefined || links.roots === 0
      ? []
      : [links.missing.length > 0 ? `${links.missing.length} NOT LOADABLE` : `${links.roots} loadable`]),
  ];
}

/** The paths of ELF files of another platform, at most {@link MAX_FOREIGN}. */
export function foreignFiles({ elf }: VariantReport): string[] {
  return shortened(elf?.foreign ?? []);
}

/** What programs and extension modules lack, one line each, at most {@link MAX_FOREIGN}. */
export function missingLibraries({ elf }: VariantReport): string[] {
  return shortened(elf?.links?.missing ?? []);
}

function shortened(lines: readonly string[]): string[] {
  const rest = lines.length - MAX_FOREIGN;
  return [...lines.slice(0, MAX_FOREIGN), ...(rest > 0 ? [`and ${count(rest, "more file")}`] : [])];
}

/** "ok (1.2 s)", "FAILED", "ok, recorded by an earlier run", "ok, tested as signed by key release" */
export function smokeSummary(smoke: SmokeReport | undefined): string {
  if (smoke === undefined) return "not run";
  const outcome = smoke.ok ? "ok" : "FAILED";
  if (smoke.engine !== undefined) return `${outcome}, ${howItRan(smoke)} on ${smoke.engine}`;
  if (smoke.signer !== undefined) return `${outcome}, tested as signed by ${smoke.signer}`;
  if (smoke.recorded) return `${outcome}, recorded by an earlier run`;
  return smoke.durationMs === undefined ? outcome : `${outcome} (${duration(smoke.durationMs)})`;
}

function howItRan({ native, emulator }: SmokeReport): string {
  if (native === true) return "native";
  return emulator === undefined ? "emulated" : `emulated by ${emulator}`;
}

/** "runs on Raspberry Pi 4, Raspberry Pi 5 (16 KiB pages)", and what kept others out, one line per reason. */
export function machineLines({ machines = [] }: VariantReport): string[] {
  const ok = machines.filter(({ state }) => state === "ok").map(({ name }) => name);
  const others = new Map<string, string[]>();
  for (const { name, state, told } of machines) {
    if (state === "ok") continue;
    const why = `${state === "failed" ? "does not run on" : "not proven on"} NAMES${told === undefined ? "" : `: ${told}`}`;
    others.set(why, [...(others.get(why) ?? []), name]);
  }
  return [
    ...(ok.length > 0 ? [`runs on ${ok.join(", ")}`] : []),
    ...[...others].map(([why, names]) => why.replace("NAMES", () => names.join(", "))),
  ];
}
