import type { Report, ServiceReport, SmokeReport, VariantReport } from "./report.js";
import { count, duration, size } from "./units.js";

/** Paths of foreign ELF files that are listed; a wrong base image would bring thousands. */
const MAX_FOREIGN = 10;

/** The services of which at least one variant got far enough that something is known of it. */
export function servicesWithVariants(report: Report): ServiceReport[] {
  return report.services.filter(({ variants }) => variants.some(isKnown));
}

export function isKnown({ digest, size, elf, smoke }: VariantReport): boolean {
  return [digest, size, elf, smoke].some((fact) => fact !== undefined);
}

export function variantSize(variant: VariantReport): string {
  return variant.size === undefined ? "-" : size(variant.size);
}

/** How many files were looked at, how many of them are ELF, and whether all of those are the platform's. */
export function fileFacts({ elf }: VariantReport): string[] {
  if (elf === undefined) return ["not checked"];
  const { files, foreign } = elf;
  const outcome = foreign.length > 0 ? `${foreign.length} FOREIGN` : "all match";
  return [`${files} checked`, elf.elf === 0 ? "no ELF" : `${elf.elf} ELF, ${outcome}`];
}

/** The paths of the files that are not the platform's, the first ones by name. */
export function foreignLines({ elf }: VariantReport): string[] {
  if (elf === undefined) return [];
  const rest = elf.foreign.length - MAX_FOREIGN;
  return [...elf.foreign.slice(0, MAX_FOREIGN), ...(rest > 0 ? [`and ${count(rest, "more file")}`] : [])];
}

/** "ok (1.2 s)", "FAILED", "ok, recorded with the candidate" */
export function smokeFact(smoke: SmokeReport | undefined): string {
  if (smoke === undefined) return "not run";
  const outcome = smoke.ok ? "ok" : "FAILED";
  if (smoke.recorded) return `${outcome}, recorded with the candidate`;
  return smoke.durationMs === undefined ? outcome : `${outcome} (${duration(smoke.durationMs)})`;
}
