import { TgoError } from "@tgo/errors";

const UNITS: Readonly<Record<string, number>> = {
  h: 3.6e12,
  m: 6e10,
  s: 1e9,
  ms: 1e6,
  us: 1e3,
  µs: 1e3,
  ns: 1,
};

/**
 * The nanoseconds of a Go duration such as `1m30s`: https://pkg.go.dev/time#ParseDuration
 * @throws TgoError USAGE
 */
export function parseGoDuration(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "0") return 0;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text)
    throw new TgoError("USAGE", `"${text}" is not a duration`, { remedy: 'write it as "30s" or "1m30s"' });
  return Math.round(
    parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ""] ?? 0), 0),
  );
}
