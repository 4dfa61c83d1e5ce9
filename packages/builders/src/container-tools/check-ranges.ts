import { readFile } from "node:fs/promises";
import satisfies from "semver/functions/satisfies.js";
import valid from "semver/functions/valid.js";
import minVersion from "semver/ranges/min-version.js";
import validRange from "semver/ranges/valid.js";

export interface RangeCheck {
  readonly version: string;
  /** As npm reads it: https://github.com/npm/node-semver#ranges */
  readonly range: string;
}

export interface RangeReport {
  /** False if the range excludes the version. True also where there is nothing to compare: a tag, an address. */
  readonly allowed: boolean;
  /** Major number of the lowest version in the range; absent for no range. */
  readonly lowestMajor?: number;
}

/** Checks versions against ranges, in the input's order. */
export function checkRanges(checks: readonly RangeCheck[]): Promise<RangeReport[]> {
  return Promise.resolve(checks.map(check));
}

/** As `checkRanges`, of a JSON file: a command line has no room for the dependencies of a large project. */
export async function checkRangesOfFile({ file }: { readonly file: string }): Promise<RangeReport[]> {
  return checkRanges(JSON.parse(await readFile(file, "utf8")) as RangeCheck[]);
}

function check({ version, range }: RangeCheck): RangeReport {
  if (validRange(range) === null) return { allowed: true };
  const lowest = minVersion(range)?.major;
  return {
    allowed: valid(version) === null || satisfies(version, range),
    ...(lowest === undefined ? {} : { lowestMajor: lowest }),
  };
}
