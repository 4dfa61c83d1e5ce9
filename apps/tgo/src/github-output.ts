import type { Report } from "@tgo/report";

/** The digest of each image that a report has, by service. */
export function digestsOf({ services }: Report): Readonly<Record<string, string>> {
  return Object.fromEntries(
    services.flatMap(({ service, digest }) => (digest === undefined ? [] : [[service, digest]])),
  );
}

/**
 * What a step of GitHub Actions hands on: `digests`, a JSON object of digests by service; with one service also `digest`.
 * Digests and names of services have no line ends, so one line each is enough.
 */
export function outputsOf(report: Report): string {
  const digests = digestsOf(report);
  const [only, ...others] = Object.values(digests);
  const one = only === undefined || others.length > 0 ? "" : `digest=${only}\n`;
  return `digests=${JSON.stringify(digests)}\n${one}`;
}
