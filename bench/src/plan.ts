import { UNIT_NAMES, UNITS, type Kind, type UnitName } from "./kinds.js";

/** The builds measured on one empty engine, in order. */
export interface Unit {
  readonly round: number;
  readonly service: string;
  readonly kinds: readonly Kind[];
}

/** Rounds per unit. */
export type Rounds = Readonly<Record<UnitName, number>>;

/**
 * Every unit of every service, round by round. Every second round runs backwards, so that a machine that slows down or
 * speeds up over time favours none of them.
 */
export function planUnits(
  services: readonly { readonly name: string; readonly hasDockerfile: boolean }[],
  rounds: Rounds,
): Unit[] {
  const total = Math.max(...Object.values(rounds));
  return Array.from({ length: total }, (_, index) => index + 1).flatMap((round) => {
    const units = services.flatMap(({ name, hasDockerfile }) =>
      UNIT_NAMES.filter(
        (unit) => round <= rounds[unit] && (hasDockerfile || !DOCKERFILE_UNITS.has(unit)),
      ).map((unit) => ({ round, service: name, kinds: UNITS[unit] })),
    );
    return round % 2 === 0 ? units.reverse() : units;
  });
}

const DOCKERFILE_UNITS: ReadonlySet<UnitName> = new Set(["dockerfile", "emulated"]);
