import type { Problem } from "@tgo/errors";
import type { Report } from "./report.js";

/** Faults that a change of the command, the source or the catalog must mend first. */
const MENDED_FIRST = new Set<Problem["code"]>([
  ...(["USAGE", "CATALOG", "SOURCE", "BUILD", "CHECK", "SMOKE", "CONFLICT"] as const),
]);

/**
 * Whether the same command may do better: a registry or a network failed, not what was asked for. What one registry
 * lacks may come there; what is nowhere will be nowhere again.
 */
export function isRetryable({ services, problems = [] }: Pick<Report, "services" | "problems">): boolean {
  const own = [...problems, ...services.flatMap((service) => service.problems)];
  const ofRegistries = services.flatMap((service) => [
    ...service.registries.flatMap((registry) => registry.problems),
    ...(service.tags ?? []).flatMap(({ problem }) => problem ?? []),
  ]);
  return [...own.filter(({ code }) => code !== "NOT_FOUND"), ...ofRegistries].some(
    ({ code }) => !MENDED_FIRST.has(code),
  );
}
