import { isTgoError, type TgoError } from "@tgo/errors";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareVersions, parseVersion, readVersion } from "../src/index.js";
import { newestVersion } from "../src/version.js";
import { versionText } from "./arbitraries.js";

describe("a version", () => {
  it.each<[string, string, (string | number)[]]>([
    ["1.2.3", "1.2.3", []],
    ["v1.2.3", "1.2.3", []],
    ["0.0.0", "0.0.0", []],
    ["10.20.30", "10.20.30", []],
    ["1.2.4-rc.1", "1.2.4-rc.1", ["rc", 1]],
    ["v2.0.0-alpha", "2.0.0-alpha", ["alpha"]],
    ["1.0.0-x.7.z.92", "1.0.0-x.7.z.92", ["x", 7, "z", 92]],
    ["1.0.0-0a", "1.0.0-0a", ["0a"]],
    ["1.0.0--", "1.0.0--", ["-"]],
    ["1.0.0-v1", "1.0.0-v1", ["v1"]],
  ])("is read from %s", (text, tag, prerelease) => {
    expect(parseVersion(text)).toMatchObject({ text: tag, prerelease, stable: prerelease.length === 0 });
  });

  it.each<[text: string, reason: RegExp, nearest: string | undefined]>([
    ["1.2", /no patch number/, "1.2.0"],
    ["v1.2", /no patch number/, "1.2.0"],
    ["1.2-rc.1", /no patch number/, "1.2.0-rc.1"],
    ["1", /no minor or patch number/, "1.0.0"],
    ["V1.2.3", /lower-case v/, "1.2.3"],
    ["=1.2.3", /lower-case v/, "1.2.3"],
    ["vv1.2.3", /"v1" is not a number/, "1.2.3"],
    [" 1.2.3", /spaces/, "1.2.3"],
    ["1.2.3\n", /spaces/, "1.2.3"],
    ["01.2.3", /leading zeros/, "1.2.3"],
    ["1.2.3-rc.01", /leading zeros/, "1.2.3-rc.1"],
    ["1.2.3+build.5", /build metadata/, "1.2.3"],
    ["1.2.3-rc.1+5", /build metadata/, "1.2.3-rc.1"],
    ["1.2.3rc1", /"3rc1" is not a number/, "1.2.3-rc.1"],
    ["1.2.3a2", /"3a2" is not a number/, "1.2.3-alpha.2"],
    ["1.2.3.dev1", /"dev1" is not a number/, "1.2.3-dev.1"],
    ["1.2.3_beta", /"3_beta" is not a number/, "1.2.3-beta"],
    ["1.2.3.4", /more than three/, undefined],
    ["1.2.x", /"x" is not a number/, undefined],
    ["1.2.3-", /grammar/, undefined],
    ["1.2.3-rc..1", /grammar/, undefined],
    ["1.2.-3", /grammar/, undefined],
    ["-1.2.3", /grammar/, undefined],
    ["^1.2.3", /"\^1" is not a number/, undefined],
    ["１.2.3", /"１" is not a number/, undefined],
    ["1.2.3-ü", /grammar/, undefined],
    ["latest", /grammar/, undefined],
    ["release-1.2.3", /grammar/, undefined],
    ["", /empty/, undefined],
    ["v", /grammar/, undefined],
    ["1.2.99999999999999999", /too large/, undefined],
    ["1.2.3-99999999999999999", /too large/, undefined],
    [`1.2.3-${"a".repeat(123)}`, /longer than the 128/, undefined],
  ])("is not read from %j", (text, reason, nearest) => {
    const error = thrownBy(() => parseVersion(text, "--version"));
    expect(error.code).toBe("USAGE");
    expect(error.where).toBe("--version");
    expect(error.what).toMatch(reason);
    expect(/^Write (.*)\.$/m.exec(error.remedy ?? "")?.[1]).toBe(nearest);
    expect(error.message).toContain("1.2.3, v1.2.3, 2.0.0-rc.1");
  });

  it("may have 128 characters, a tag's maximum", () => {
    expect(parseVersion(`1.2.3-${"a".repeat(122)}`).text).toHaveLength(128);
  });

  it("keeps its text, with or without a v, and is a valid tag", () => {
    fc.assert(
      fc.property(versionText, (text) => {
        expect(parseVersion(text).text).toBe(text);
        expect(parseVersion(`v${text}`)).toEqual(parseVersion(text));
        expect(text).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/);
      }),
    );
  });

  it("is parsed from any text, or rejected with the grammar", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[v=]?[0-9.+a-z -]{0,12}$/)), (text) => {
        if (readVersion(text) !== undefined) return;
        const error = thrownBy(() => parseVersion(text));
        expect(error.message).toContain("MAJOR.MINOR.PATCH");
        const nearest = /^Write (.*)\.$/m.exec(error.remedy ?? "")?.[1];
        if (nearest !== undefined) expect(readVersion(nearest)?.text).toBe(nearest);
      }),
    );
  });
});

describe("the order of versions", () => {
  // The example of semver.org, section 11.
  const ascending = [
    "0.9.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.10",
    "1.1.0",
    "1.10.0-rc.1",
    "1.10.0",
    "2.0.0",
  ].map((text) => parseVersion(text));

  it("is that of semantic versioning", () => {
    const sorted = [...ascending].reverse().sort(compareVersions);
    expect(sorted.map(({ text }) => text)).toEqual(ascending.map(({ text }) => text));
    expect(newestVersion(ascending)?.text).toBe("2.0.0");
    expect(newestVersion([])).toBeUndefined();
  });

  it("is total, and equal versions have the same text", () => {
    fc.assert(
      fc.property(versionText, versionText, versionText, (a, b, c) => {
        const [x, y, z] = [parseVersion(a), parseVersion(b), parseVersion(c)];
        expect(compareVersions(x, y)).toBe(0 - compareVersions(y, x) || 0);
        expect(compareVersions(x, y) === 0).toBe(a === b);
        if (compareVersions(x, y) <= 0 && compareVersions(y, z) <= 0)
          expect(compareVersions(x, z)).toBeLessThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

function thrownBy(act: () => unknown): TgoError {
  try {
    act();
  } catch (error) {
    if (isTgoError(error)) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}
