import { UNITS, type Kind } from "./kinds.js";

/** A fresh engine, and what is measured on it, one after the other. */
export interface Unit {
  readonly round: number;
  readonly service: string;
  readonly kinds: readonly Kind[];
}

export interface Rounds {
  /** Of everything but Dockerfiles under emulation. */
  readonly rounds: number;
  readonly emulatedRounds: number;
}

/**
 * Every unit of every service, a round at a time. Each second round runs its units backwards, so that a machine that
 * becomes slower or faster while it works does not favour what comes first.
 */
export function planUnits(
  services: readonly { readonly name: string; readonly hasDockerfile: boolean }[],
  { rounds, emulatedRounds }: Rounds,
): Unit[] {
  const total = Math.max(rounds, emulatedRounds);
  return Array.from({ length: total }, (_, index) => index + 1).flatMap((round) => {
    const units = services.flatMap(({ name, hasDockerfile }) =>
      UNITS.filter((kinds) => {
        if (kinds.includes("emulated")) return hasDockerfile && round <= emulatedRounds;
        if (kinds.includes("dockerfile")) return hasDockerfile && round <= rounds;
        return round <= rounds;
      }).map((kinds) => ({ round, service: name, kinds })),
    );
    return round % 2 === 0 ? units.reverse() : units;
  });
}
