import { TgoError } from "@tgo/errors";

/** Stands for an unknown time. It is the earliest that a zip archive can hold, as is usual for reproducible builds. */
export const UNKNOWN_TIME = new Date(Date.UTC(1980, 0, 1));

/** A time between 1980 and 2011, derived from the content alone. */
export function contentTime(hash: string): Date {
  const start = Date.UTC(1980, 0, 1) / 1000;
  return new Date((start + (Number.parseInt(hash.slice(0, 8), 16) % 1_000_000_000)) * 1000);
}

/**
 * Parses the value of --created.
 * @throws TgoError USAGE
 */
export function parseCreated(text: string): Date {
  const date = new Date(/^\d+$/.test(text) ? Number(text) * 1000 : text);
  if (!Number.isNaN(date.getTime())) return date;
  throw new TgoError("USAGE", `--created "${text}" is not a time`, {
    remedy: "Use RFC 3339 or seconds since 1970, e.g. $(git log -1 --format=%cI).",
  });
}

/** Whole seconds since 1970. */
export function epochSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
