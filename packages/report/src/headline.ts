import type { Report } from "./report.js";
import { count, duration, registryCount } from "./units.js";

/** The run in one line, without its outcome: "2 services × 3 registries × 2 platforms in 41.2 s". */
export function extent(report: Report): string {
  const registries = new Set(report.services.flatMap((s) => s.registries.map((r) => r.registry))).size;
  const platforms = new Set(report.services.flatMap((s) => s.variants.map((v) => v.platform))).size;
  const parts = [count(report.services.length, "service")];
  if (registries > 0) parts.push(registryCount(registries));
  if (platforms > 0) parts.push(count(platforms, "platform"));
  return `${parts.join(" × ")} in ${duration(report.durationMs)}`;
}

/** What failed, counted: "1 of 2 services failed: tgo-api"; undefined when nothing did. */
export function failure(report: Report): string | undefined {
  const all = report.services.length;
  if (report.gate?.open === false) {
    return `${report.version ?? "nothing"} is not released: no version tag and no latest was moved`;
  }
  const failed = report.services
    .filter(({ state }) => state === "failed" || state === "not released")
    .map(({ service }) => service);
  if (failed.length === 0) return undefined;
  return `${all === 1 ? "" : `${failed.length} of `}${count(all, "service")} failed: ${failed.join(", ")}`;
}

/** What ran it. */
export function provenance(report: Report): string {
  return [report.engine, `pipeline ${report.pipeline}`].filter((part) => part !== undefined).join(" · ");
}
