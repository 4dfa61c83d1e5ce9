import { TgoError } from "@tgo/errors";

/** Stands for an unknown time. It is the earliest that a zip archive can hold, as is usual for reproducible builds. */
export const UNKNOWN_TIME = new Date(Date.UTC(1980, 0, 1));

/** A time between 1980 and 2011, derived from the content alone. */
export function contentTime(hash: string): Date {
  const start = Date.UTC(1980, 0, 1) / 1000;
  return new Date((start + (Number.parseInt(hash.slice(0, 8), 16) % 1_000_000_000)) * 1000);
}

/**
 * Times of an image and of the files from its source. The unknown time is unknown when it is given, too, as provenance
 * does: one candidate key has one image.
 * @param hash of the source's content
 */
export function sourceTimes(
  given: Date | undefined,
  hash: string,
): { readonly created: Date; readonly modified: Date } {
  const created = given?.getTime() === UNKNOWN_TIME.getTime() ? undefined : given;
  return { created: created ?? UNKNOWN_TIME, modified: created ?? contentTime(hash) };
}

/** Texts that name one moment everywhere: a day, which starts in UTC, or a time of day with its zone. */
const WITH_ZONE = /^\d{4}(?:-\d\d){1,2}$|\d:\d\d.*(?:Z|GMT|UTC|[+-]\d\d:?\d\d)$/i;

/**
 * Parses the value of --created.
 * @throws TgoError USAGE
 */
export function parseCreated(text: string): Date {
  const isSeconds = /^\d+$/.test(text);
  const date = new Date(isSeconds ? Number(text) * 1000 : text);
  const remedy = "Use RFC 3339 or seconds since 1970, e.g. $(git log -1 --format=%cI).";
  if (Number.isNaN(date.getTime()))
    throw new TgoError("USAGE", `--created "${text}" is not a time`, { remedy });
  if (isSeconds || WITH_ZONE.test(text)) return date;
  throw new TgoError("USAGE", `--created "${text}" has no time zone, so it is another time on each machine`, {
    remedy,
  });
}

/** Whole seconds since 1970. */
export function epochSeconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
