import type { Report } from "./report.js";

/** The columns of a table of registries, in text as in Markdown. */
export const REGISTRY_COLUMNS = ["service", "registry", "state", "digest", "sent", "time", "record"] as const;

/**
 * Which columns have something to tell: the engine does not say what it sends, a verification sends nothing, and only
 * a release has a record.
 */
export function toldColumns({ services }: Report): boolean[] {
  const registries = services.flatMap((service) => service.registries);
  return REGISTRY_COLUMNS.map((title) => {
    if (title === "sent") return registries.some(({ uploaded }) => uploaded !== undefined);
    if (title === "record") return registries.some(({ record }) => record !== undefined);
    return true;
  });
}
