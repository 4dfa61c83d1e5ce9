import type { Problem } from "@tgo/errors";

/** How far this machine's clock is from a registry's. */
export interface ClockSkew {
  /** The catalog's name. */
  readonly registry: string;
  readonly host: string;
  /** Positive when this machine's clock is ahead, negative when it is behind. */
  readonly seconds: number;
}

/** Certificates, tokens and package lists tolerate about a minute. */
const TOLERATED_SECONDS = 60;

/**
 * The skew, however long the request took: a date between sending and receiving counts as no skew.
 * @param date of the response, in whole seconds
 * @param sent @param received milliseconds since 1970, by this machine's clock
 */
export function skewSeconds(date: Date, sent: number, received: number): number {
  const registryTime = date.getTime();
  if (registryTime + 1000 < sent) return Math.round((sent - registryTime) / 1000);
  return registryTime > received ? -Math.round((registryTime - received) / 1000) : 0;
}

/**
 * Whose clock is wrong: this machine's if all registries agree that it is, else the registry's own. Reported once,
 * however many services measured it.
 */
export function clockProblems(skews: readonly ClockSkew[]): Problem[] {
  const smallest = new Map<string, ClockSkew>();
  for (const skew of skews) {
    const known = smallest.get(skew.registry);
    if (known === undefined || Math.abs(skew.seconds) < Math.abs(known.seconds))
      smallest.set(skew.registry, skew);
  }
  const all = [...smallest.values()];
  const off = all.filter(({ seconds }) => Math.abs(seconds) > TOLERATED_SECONDS);
  const [first] = off;
  if (first === undefined) return [];
  const allAgree = all.every(({ seconds }) => Math.abs(seconds - first.seconds) <= TOLERATED_SECONDS);
  if (allAgree) {
    return [
      {
        code: "ENVIRONMENT",
        what: `this machine's clock is ${formatSkew(first.seconds)} ${all.length === 1 ? "the registry's" : `the clocks of all ${all.length} registries`}`,
        where: all.map(({ host }) => host).join(", "),
        remedy: "Set this machine's clock (NTP): certificates, tokens and package lists depend on the time.",
      },
    ];
  }
  return off.map(({ registry, host, seconds }) => ({
    code: "ENVIRONMENT",
    what: `the clock of ${registry} is ${formatSkew(-seconds)} this machine's; other registries agree with this machine`,
    where: host,
    remedy: "Report it to the registry's operator: its tokens may expire early, or not be valid yet.",
  }));
}

function formatSkew(seconds: number): string {
  const size = Math.abs(seconds);
  const text =
    size < 600
      ? `${size} s`
      : size < 36_000
        ? `${Math.round(size / 60)} min`
        : `${Math.round(size / 3600)} h`;
  return `${text} ${seconds > 0 ? "ahead of" : "behind"}`;
}
