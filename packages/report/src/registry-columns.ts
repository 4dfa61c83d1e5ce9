import type { Report } from "./report.js";

/** The columns of the registries table, in text and Markdown. */
export const REGISTRY_COLUMNS = ["service", "registry", "state", "digest", "sent", "time", "record"] as const;

/**
 * Which columns have content: the engine does not report what it sends, a verification sends nothing, and only a
 * release has a record.
 */
export function shownColumns({ services }: Report): boolean[] {
  const registries = services.flatMap((service) => service.registries);
  return REGISTRY_COLUMNS.map((title) => {
    if (title === "sent") return registries.some(({ uploaded }) => uploaded !== undefined);
    if (title === "record") return registries.some(({ record }) => record !== undefined);
    return true;
  });
}
