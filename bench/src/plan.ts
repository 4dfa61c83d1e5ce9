import { UNIT_NAMES, UNITS, type Kind, type UnitName } from "./kinds.js";

/** A fresh engine, and what is measured on it, one after the other. */
export interface Unit {
  readonly round: number;
  readonly service: string;
  readonly kinds: readonly Kind[];
}

/** How often each unit is measured, by the first kind of it. */
export type Rounds = Readonly<Record<UnitName, number>>;

/**
 * Every unit of every service, a round at a time. Each second round runs its units backwards, so that a machine that
 * becomes slower or faster while it works does not favour what comes first.
 */
export function planUnits(
  services: readonly { readonly name: string; readonly hasDockerfile: boolean }[],
  rounds: Rounds,
): Unit[] {
  const total = Math.max(...Object.values(rounds));
  return Array.from({ length: total }, (_, index) => index + 1).flatMap((round) => {
    const units = services.flatMap(({ name, hasDockerfile }) =>
      UNIT_NAMES.filter((unit) => round <= rounds[unit] && (hasDockerfile || !OF_DOCKERFILES.has(unit))).map(
        (unit) => ({ round, service: name, kinds: UNITS[unit] }),
      ),
    );
    return round % 2 === 0 ? units.reverse() : units;
  });
}

const OF_DOCKERFILES: ReadonlySet<UnitName> = new Set(["dockerfile", "emulated"]);
