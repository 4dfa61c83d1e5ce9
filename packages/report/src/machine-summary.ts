import { fold } from "./fold.js";
import type { Report } from "./report.js";
import { machineLines } from "./variant-summary.js";

/** What is known of the promised machines of a platform, for the services of which the same is known. */
export interface MachineSummary {
  readonly platform: string;
  readonly lines: readonly string[];
  readonly services: readonly string[];
}

/** The promised machines, said once per platform where all services fared alike. */
export function machineSummaries({ services }: Report): MachineSummary[] {
  const all = services.flatMap(({ service, variants }) =>
    variants.flatMap((variant) => {
      const lines = machineLines(variant);
      return lines.length === 0 ? [] : [[service, { platform: variant.platform, lines }] as const];
    }),
  );
  return fold(all, (value) => JSON.stringify(value))
    .map(({ value, names }) => ({ ...value, services: names }))
    .sort((a, b) => a.platform.localeCompare(b.platform));
}
