import fc from "fast-check";
import { is, parse } from "@tgo/schemas";
import { describe, expect, it } from "vitest";
import { isFloating, kindOfTag, parseVersion, planTags, TagPolicy, versionTags } from "../src/index.js";
import { type TagKind, inLine } from "../src/tag-kind.js";
import { version, versionText } from "./arbitraries.js";

const all = parse(TagPolicy, {});

describe("the tags of a release", () => {
  it.each<[string, policy: Partial<TagPolicy>, string[]]>([
    ["1.2.3", {}, ["1.2", "1", "latest"]],
    ["1.2.3", { major: false }, ["1.2", "latest"]],
    ["1.2.3", { minor: false, latest: false }, ["1"]],
    ["1.2.3", { minor: false, major: false, latest: false }, []],
    ["0.5.0", {}, ["0.5", "latest"]],
    ["1.2.4-rc.1", {}, []],
    ["0.0.0", {}, ["0.0", "latest"]],
  ])("of %s with %j are its own and %j", (text, policy, floating) => {
    expect(planTags(version(text), { ...all, ...policy }, "tgo-api")).toEqual({ version: text, floating });
  });

  it("end with latest, and belong to the version's lines", () => {
    fc.assert(
      fc.property(versionText, (text) => {
        const parsed = parseVersion(text);
        const { floating } = planTags(parsed, all, "tgo-api");
        expect(floating.at(-1)).toBe(parsed.stable ? "latest" : undefined);
        for (const tag of floating) {
          const kind = kindOfTag(tag);
          expect(isFloating(kind) && inLine(kind, parsed)).toBe(true);
        }
      }),
    );
  });

  it.each(["v1.2.3", "tgo-api-v1.2.3"])("may include %s, which is the version too", (tag) => {
    const alias = tag.replace("1.2.3", "{version}").replace("tgo-api", "{service}");
    const plan = planTags(version("1.2.3"), parse(TagPolicy, { alias }), "tgo-api");
    expect(versionTags(plan)).toEqual(["1.2.3", tag]);
    expect(kindOfTag(tag, "tgo-api")).toMatchObject({ kind: "version", version: { text: "1.2.3" } });
  });

  it.each(["{version}", "release-{version}", "v1.2.3", "", "latest"])(
    "have no alias that nothing would read as the version: %j",
    (alias) => {
      expect(is(TagPolicy, { alias })).toBe(false);
    },
  );

  it("come from a policy that rejects unknown fields", () => {
    expect(all).toEqual({ minor: true, major: true, latest: true });
    expect(is(TagPolicy, { lates: false })).toBe(false);
  });
});

describe("a tag by its name", () => {
  it.each<[string, TagKind["kind"]]>([
    ["1.2.3", "version"],
    ["v1.2.3", "version"],
    ["tgo-api-v0.3.1", "version"],
    ["1.2.3-rc.1", "version"],
    ["1.2", "minor"],
    ["0.5", "minor"],
    ["1", "major"],
    ["0", "other"],
    ["01", "other"],
    ["1.02", "other"],
    ["1.2.3.4", "other"],
    ["latest", "latest"],
    ["Latest", "other"],
    ["candidate-0123456789abcdef", "candidate"],
    ["candidate-0123456789abcdef-linux-arm64", "candidate"],
    ["staging-0123456789abcdef", "staging"],
    ["variant-0123456789abcdef-linux-arm64", "variant"],
    ["candidate-0123456789abcdef-native", "candidate"],
    ["variant-two", "other"],
    ["staging-eu", "other"],
    ["candidate-0123456789ABCDEF", "other"],
    ["main", "other"],
    ["tgo-web-v0.3.1", "other"],
    [`sha256-${"0".repeat(64)}`, "other"],
  ])("%s is of kind %s in tgo-api", (tag, kind) => {
    expect(kindOfTag(tag, "tgo-api").kind).toBe(kind);
  });

  it("says which versions it may point to", () => {
    const may = (tag: string, text: string): boolean => {
      const kind = kindOfTag(tag);
      return isFloating(kind) && inLine(kind, version(text));
    };
    expect([may("1.2", "1.2.9"), may("1.2", "1.3.0"), may("1.2", "2.2.0")]).toEqual([true, false, false]);
    expect([may("1", "1.9.0"), may("1", "2.0.0"), may("latest", "2.0.0")]).toEqual([true, false, true]);
  });
});
