import type { Problem } from "@tgo/errors";
import type { Report } from "./report.js";

/** These need a change of the command, the source or the catalog first. */
const NEEDS_CHANGE = new Set<Problem["code"]>([
  ...(["USAGE", "CATALOG", "SOURCE", "BUILD", "CHECK", "SMOKE", "CONFLICT"] as const),
]);

/**
 * Whether the same command may succeed later: a registry or the network failed, not the request. Something missing
 * from one registry may still arrive there; something missing everywhere stays missing.
 */
export function isRetryable({ services, problems = [] }: Pick<Report, "services" | "problems">): boolean {
  const own = [...problems, ...services.flatMap((service) => service.problems)];
  const ofRegistries = services.flatMap((service) => [
    ...service.registries.flatMap((registry) => registry.problems),
    ...(service.tags ?? []).flatMap(({ problem }) => problem ?? []),
  ]);
  return [...own.filter(({ code }) => code !== "NOT_FOUND"), ...ofRegistries].some(
    ({ code }) => !NEEDS_CHANGE.has(code),
  );
}
