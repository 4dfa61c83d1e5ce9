import type { Kind } from "./kinds.js";
import type { Unit } from "./plan.js";
import { spreadOf } from "./statistics.js";

/** Seconds on a small machine, for services without a measurement. Used by the forecast only. */
const GUESSES: Readonly<Record<string, Readonly<Record<Kind, number>>>> = {
  python: { one: 30, both: 35, warm: 2, edit: 6, foreign: 30, dockerfile: 70, emulated: 330 },
  "static-web": { one: 20, both: 22, warm: 2, edit: 12, foreign: 20, dockerfile: 30, emulated: 45 },
  dockerfile: { one: 60, both: 360, warm: 5, edit: 60, foreign: 300, dockerfile: 60, emulated: 300 },
};

/** Seconds to prepare and remove an empty engine, and to push now and then. */
const UNIT_OVERHEAD = 4;

/** Expects each build to take as long as in this benchmark so far, else as in an earlier one, else as guessed. */
export class Forecast {
  readonly #strategies: ReadonlyMap<string, string>;
  readonly #measured = new Map<string, number[]>();

  /** @param strategies by service */
  constructor(
    strategies: ReadonlyMap<string, string>,
    private readonly earlier: (service: string, kind: Kind) => number | undefined,
  ) {
    this.#strategies = strategies;
  }

  record(service: string, kind: Kind, seconds: number): void {
    const key = `${service} ${kind}`;
    this.#measured.set(key, [...(this.#measured.get(key) ?? []), seconds]);
  }

  /** Expected seconds for these units. */
  secondsFor(units: readonly Unit[]): number {
    return units.reduce((sum, { service, kinds }) => {
      const build = kinds.reduce((total, kind) => total + this.#expected(service, kind), 0);
      return sum + build + UNIT_OVERHEAD;
    }, 0);
  }

  #expected(service: string, kind: Kind): number {
    const measured = spreadOf(this.#measured.get(`${service} ${kind}`) ?? [])?.median;
    const guesses = GUESSES[this.#strategies.get(service) ?? ""] ?? GUESSES.python;
    return measured ?? this.earlier(service, kind) ?? guesses?.[kind] ?? 30;
  }
}
