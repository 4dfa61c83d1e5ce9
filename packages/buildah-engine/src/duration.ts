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
 * Nanoseconds of a duration as Go writes it: `1m30s`. https://pkg.go.dev/time#ParseDuration
 * @throws TgoError USAGE
 */
export function parseDuration(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  if (text === "0") return 0;
  if (!/^(\d+(\.\d+)?(h|ms|us|µs|ns|m|s))+$/.test(text))
    throw new TgoError("USAGE", `"${text}" is not a duration`, { remedy: 'write it as "30s" or "1m30s"' });
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/g);
  return Math.round(
    [...parts].reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ""] ?? 0), 0),
  );
}

/** As Go prints it: `1m30s`, `500ms`, `0s`. */
export function formatDuration(nanoseconds: number | undefined): string {
  const total = nanoseconds ?? 0;
  if (total < 1e9) return total === 0 ? "0s" : `${total / 1e6}ms`;
  const seconds = total / 1e9;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return `${h > 0 ? `${h}h` : ""}${h > 0 || m > 0 ? `${m}m` : ""}${s}s`;
}
