import fc from "fast-check";
import { parseVersion, type Version } from "../src/index.js";

const number = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 12_000 }));
const identifier = fc.oneof(
  fc.constantFrom("alpha", "beta", "rc", "dev", "a-b", "-", "0a"),
  fc.nat({ max: 20 }).map(String),
);

/** Any version's text; small numbers, so that lines and neighbours meet. */
export const versionText: fc.Arbitrary<string> = fc
  .tuple(number, number, number, fc.array(identifier, { maxLength: 3 }))
  .map(([major, minor, patch, prerelease]) =>
    prerelease.length === 0
      ? `${major}.${minor}.${patch}`
      : `${major}.${minor}.${patch}-${prerelease.join(".")}`,
  );

/** Versions of a realistic series of releases. */
export const closeVersion: fc.Arbitrary<Version> = fc
  .tuple(
    fc.nat({ max: 2 }),
    fc.nat({ max: 2 }),
    fc.nat({ max: 2 }),
    fc.option(fc.integer({ min: 1, max: 2 }), { freq: 1 }),
  )
  .map(([major, minor, patch, rc]) =>
    parseVersion(`${major}.${minor}.${patch}${rc === null ? "" : `-rc.${rc}`}`),
  );

/** `sha256:` and 64 hex digits that start with the given ones. */
export function digest(hex: string): string {
  return `sha256:${hex.padEnd(64, "0")}`;
}

export function version(text: string): Version {
  return parseVersion(text);
}
