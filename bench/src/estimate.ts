import type { Kind } from "./kinds.js";
import type { Unit } from "./plan.js";
import { spreadOf } from "./statistics.js";

/** Seconds on a small machine, for a service that was never measured. Only the forecast depends on them. */
const GUESSES: Readonly<Record<string, Readonly<Record<Kind, number>>>> = {
  python: { one: 30, both: 35, warm: 2, edit: 6, foreign: 30, dockerfile: 70, emulated: 330 },
  "static-web": { one: 20, both: 22, warm: 2, edit: 12, foreign: 20, dockerfile: 30, emulated: 45 },
  dockerfile: { one: 60, both: 360, warm: 5, edit: 60, foreign: 300, dockerfile: 60, emulated: 300 },
};

/** Preparing an empty engine and removing it; pushing once a service is within it. */
const AROUND_A_UNIT = 4;

/** What is known of how long a kind of build of a service takes: from an earlier benchmark, then from this one. */
export class Forecast {
  readonly #strategies: ReadonlyMap<string, string>;
  readonly #seen = new Map<string, number[]>();

  /** @param strategies by service */
  constructor(
    strategies: ReadonlyMap<string, string>,
    private readonly earlier: (service: string, kind: Kind) => number | undefined,
  ) {
    this.#strategies = strategies;
  }

  saw(service: string, kind: Kind, seconds: number): void {
    const key = `${service} ${kind}`;
    this.#seen.set(key, [...(this.#seen.get(key) ?? []), seconds]);
  }

  /** Seconds for all of these units. */
  secondsFor(units: readonly Unit[]): number {
    return units.reduce((sum, { service, kinds }) => {
      const build = kinds.reduce((all, kind) => all + this.#expected(service, kind), 0);
      return sum + build + AROUND_A_UNIT;
    }, 0);
  }

  #expected(service: string, kind: Kind): number {
    const seen = spreadOf(this.#seen.get(`${service} ${kind}`) ?? [])?.median;
    const guesses = GUESSES[this.#strategies.get(service) ?? ""] ?? GUESSES.python;
    return seen ?? this.earlier(service, kind) ?? guesses?.[kind] ?? 30;
  }
}
