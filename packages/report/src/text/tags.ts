import { whose } from "../fold.js";
import { count, registryCount } from "../quantities.js";
import type { Report } from "../report.js";
import { cell, table, type Cell } from "../table.js";
import { tagSummaries } from "../tag-summary.js";
import type { Page } from "./page.js";

/** The tags of a release: each outcome once, for the services and registries that share it. */
export function tags(report: Report, { colors, width }: Page): string[] {
  const summaries = tagSummaries(report);
  if (summaries.length === 0) return [];
  const services = report.services.map(({ service }) => service);
  const registries = [...new Set(summaries.flatMap((summary) => summary.registries))];
  const rows = summaries.map((summary): Cell[] => [
    cell(whose(summary.services, services) || `all ${count(services.length, "service")}`, {
      paint: colors.bold,
    }),
    cell(whose(summary.registries, registries) || `all ${registryCount(registries.length)}`),
    cell(summary.lines, { paint: summary.complete ? colors.green : colors.red }),
  ]);
  return table(["service", "registry", "tags"], rows, { width, indent: "", paintHeader: colors.dim });
}
