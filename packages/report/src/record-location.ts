import { registryCount } from "./quantities.js";
import type { Report } from "./report.js";

/** Where a release's record is; undefined for a run without one. */
export function recordLocation({ record, services }: Report): string | undefined {
  if (record === undefined) return undefined;
  const rows = services.flatMap(({ registries }) => registries);
  const names = [...new Set(rows.map(({ registry }) => registry))];
  if (rows.every((row) => row.record === undefined)) {
    const why = services.some(({ state }) => state === "not released")
      ? "the release is not complete"
      : 'no complete registry has "referrers": true in the catalog';
    return `not attached: ${why} (see --format json)`;
  }
  const having = names.filter((name) => {
    const own = rows.filter(({ registry }) => registry === name);
    return own.every(({ record: state }) => state !== undefined && state !== "failed");
  });
  return `attached to the images in ${having.length} of ${registryCount(names.length)}`;
}
