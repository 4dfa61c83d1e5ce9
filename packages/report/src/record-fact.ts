import type { Report } from "./report.js";
import { registryCount } from "./units.js";

/** Where the record of a release is; undefined of a run that has none. */
export function recordFact({ record, services }: Report): string | undefined {
  if (record === undefined) return undefined;
  const rows = services.flatMap(({ registries }) => registries);
  const names = [...new Set(rows.map(({ registry }) => registry))];
  const asked = new Set(rows.filter((row) => row.record !== undefined).map(({ registry }) => registry));
  if (asked.size === 0) {
    const why = services.some(({ state }) => state === "not released")
      ? "the release is not complete"
      : 'no registry that is complete has "referrers": true in the catalog';
    return `in the JSON report only: ${why}`;
  }
  const holding = names.filter((name) => {
    const own = rows.filter(({ registry }) => registry === name);
    return own.every((row) => row.record === "done" || row.record === "already there");
  });
  return `beside the images in ${holding.length} of ${registryCount(names.length)}`;
}
