import type { Problem } from "@tgo/errors";

/** How far a registry's clock is from this machine's. */
export interface Skew {
  /** The catalog's name. */
  readonly registry: string;
  readonly host: string;
  /** By how many this machine's clock is ahead; less than zero when it is behind. */
  readonly seconds: number;
}

/** Certificates, logins and package lists bear about a minute. */
const TOLERATED_SECONDS = 60;

/**
 * The clock's distance, whatever time the request took: a date between sending and receiving is no distance.
 * @param date of the answer, in whole seconds
 * @param sent @param received milliseconds since 1970, by this machine's clock
 */
export function skewSeconds(date: Date, sent: number, received: number): number {
  const shown = date.getTime();
  if (shown + 1000 < sent) return Math.round((sent - shown) / 1000);
  return shown > received ? -Math.round((shown - received) / 1000) : 0;
}

/**
 * Whose clock is wrong: this machine's where all registries agree that it is, else the registry's own. Told once,
 * however many services asked.
 */
export function clockProblems(skews: readonly Skew[]): Problem[] {
  const least = new Map<string, Skew>();
  for (const skew of skews) {
    const known = least.get(skew.registry);
    if (known === undefined || Math.abs(skew.seconds) < Math.abs(known.seconds))
      least.set(skew.registry, skew);
  }
  const all = [...least.values()];
  const off = all.filter(({ seconds }) => Math.abs(seconds) > TOLERATED_SECONDS);
  const [first] = off;
  if (first === undefined) return [];
  const agree = all.every(({ seconds }) => Math.abs(seconds - first.seconds) <= TOLERATED_SECONDS);
  if (agree) {
    return [
      {
        code: "ENVIRONMENT",
        what: `this machine's clock is ${distance(first.seconds)} that of ${all.length === 1 ? "the registry" : `all ${all.length} registries`}`,
        where: all.map(({ host }) => host).join(", "),
        remedy:
          "Set this machine's clock (NTP): certificates, logins and package lists are valid for a time.",
      },
    ];
  }
  return off.map(({ registry, host, seconds }) => ({
    code: "ENVIRONMENT",
    what: `the clock of ${registry} is ${distance(-seconds)} this machine's, which other registries agree with`,
    where: host,
    remedy: "Tell whoever runs it: its logins may end too early or never begin.",
  }));
}

function distance(seconds: number): string {
  const size = Math.abs(seconds);
  const text =
    size < 600
      ? `${size} s`
      : size < 36_000
        ? `${Math.round(size / 60)} min`
        : `${Math.round(size / 3600)} h`;
  return `${text} ${seconds > 0 ? "ahead of" : "behind"}`;
}
