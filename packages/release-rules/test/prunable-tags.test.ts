import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { kindOfTag, selectPrunable, type PrunableTag } from "../src/index.js";
import { digest } from "./arbitraries.js";

const candidate = (n: number): string => `candidate-${String(n).padStart(16, "0")}`;
const staging = (n: number): string => `staging-${String(n).padStart(16, "0")}`;
const day = (text: string): Date => new Date(`${text}T00:00:00Z`);
const before = day("2026-03-01");
const tag = (name: string, of: string, created?: string): PrunableTag => ({
  tag: name,
  digest: digest(of),
  created: created === undefined ? undefined : day(created),
});

describe("prune", () => {
  it("removes old candidates and staging tags, with the reason for each", () => {
    const selection = selectPrunable(
      [
        tag(candidate(1), "a", "2026-01-05"),
        tag(candidate(2), "b", "2026-02-28"),
        tag(candidate(3), "c", "2026-03-01"),
        tag(staging(2), "d"),
      ],
      { before },
    );
    expect(selection).toEqual({
      remove: [
        {
          digest: digest("a"),
          tags: [candidate(1)],
          why: "from 2026-01-05, with no version or floating tag",
        },
        {
          digest: digest("b"),
          tags: [candidate(2)],
          why: "from 2026-02-28, with no version or floating tag",
        },
        { digest: digest("d"), tags: [staging(2)], why: "from 2026-02-28, with no version or floating tag" },
      ],
      keep: [{ tag: candidate(3), digest: digest("c"), why: "from 2026-03-01, not old enough" }],
    });
  });

  it("dates the second staging tag of a stalled upload by its candidate too", () => {
    const tags = [tag(candidate(1), "a", "2026-01-05"), tag(`${staging(1)}-2`, "b")];
    expect(selectPrunable(tags, { before }).remove).toMatchObject([
      { tags: [candidate(1)] },
      { tags: [`${staging(1)}-2`], why: "from 2026-01-05, with no version or floating tag" },
    ]);
  });

  it("dates a platform's image by its candidate, whatever way its packages were compiled", () => {
    const variant = (n: number): string => `variant-${String(n).padStart(16, "0")}-linux-arm64`;
    const tags = [
      tag(`${candidate(1)}-native`, "a", "2026-01-05"),
      tag(variant(1), "b", "2026-01-05"),
      tag(variant(2), "c", "2026-01-05"),
    ];
    expect(selectPrunable(tags, { before })).toMatchObject({
      remove: [{ tags: [`${candidate(1)}-native`] }, { tags: [variant(1)] }],
      keep: [{ tag: variant(2), why: "its candidate is missing or has no date: a build may be in progress" }],
    });
  });

  it("keeps a staging tag whose candidate is missing: a build may be in progress", () => {
    // A staged image has its base's date, and the other key's candidate does not date this one.
    const tags = [tag(staging(1), "a", "2024-01-01"), tag(candidate(2), "b", "2026-01-05")];
    expect(selectPrunable(tags, { before })).toMatchObject({
      remove: [{ tags: [candidate(2)] }],
      keep: [{ tag: staging(1), why: "its candidate is missing or has no date: a build may be in progress" }],
    });
    expect(selectPrunable(tags, { before, undated: true }).remove).toMatchObject([
      { tags: [candidate(2)] },
      { tags: [staging(1)], why: "from an unknown time, with no version or floating tag" },
    ]);
  });

  it.each<[string, PrunableTag, string]>([
    ["a young one's", tag(candidate(1), "b", "2026-03-05"), "from 2026-03-05, not old enough"],
    [
      "one without a date",
      tag(candidate(1), "b"),
      "its candidate is missing or has no date: a build may be in progress",
    ],
  ])("dates a staging tag by its candidate: keeps %s", (_, of, why) => {
    const { remove, keep } = selectPrunable([tag(staging(1), "a", "2024-01-01"), of], { before });
    expect(remove).toEqual([]);
    expect(keep).toContainEqual({ tag: staging(1), digest: digest("a"), why });
  });

  it("removes the staging tag of a released candidate, and keeps the candidate", () => {
    const tags = [
      tag(staging(1), "a"),
      tag(candidate(1), "b", "2026-01-05"),
      tag("1.2.3", "b", "2026-01-05"),
    ];
    expect(selectPrunable(tags, { before })).toMatchObject({
      remove: [{ tags: [staging(1)] }],
      keep: [{ tag: candidate(1), why: "its image is also 1.2.3" }],
    });
  });

  it.each(["1.2.3", "latest", "1.2", "v0.5.0", "main", "staging-eu"])(
    "keeps an image that is also %s",
    (other) => {
      const { remove, keep } = selectPrunable(
        [tag(candidate(1), "a", "2026-01-05"), tag(other, "a", "2026-01-05")],
        { before },
      );
      expect(remove).toEqual([]);
      expect(keep).toMatchObject([{ tag: candidate(1), why: `its image is also ${other}` }]);
    },
  );

  it("removes all tags of an image or none, since registries delete by digest", () => {
    const both = (created: string): PrunableTag[] => [
      tag(staging(1), "a", "2026-01-05"),
      tag(candidate(1), "a", created),
    ];
    expect(selectPrunable(both("2026-01-05"), { before }).remove).toMatchObject([
      { tags: [candidate(1), staging(1)] },
    ]);
    expect(selectPrunable(both("2026-03-05"), { before })).toMatchObject({ remove: [], keep: [{}, {}] });
  });

  it("treats 1980, the date of builds without a commit, as unknown", () => {
    const tags = [tag(candidate(1), "a", "1980-01-01"), tag(candidate(2), "b")];
    expect(selectPrunable(tags, { before }).keep.map(({ why }) => why)).toEqual([
      "its age is unknown",
      "its age is unknown",
    ]);
    expect(selectPrunable(tags, { before, undated: true }).remove).toHaveLength(2);
  });

  it("keeps the newest candidates on request", () => {
    const tags = [1, 2, 3].map((n) => tag(candidate(n), `a${n}`, `2026-01-0${n}`));
    const { remove, keep } = selectPrunable([...tags, tag(staging(3), "e", "2026-02-01")], {
      before,
      keep: 2,
    });
    expect(keep.map((kept) => kept.tag)).toEqual([candidate(2), candidate(3)]);
    expect(remove.flatMap((removed) => removed.tags)).toEqual([candidate(1), staging(3)]);
  });

  it("never removes an image with another tag or a recent one, and lists every candidate and staging tag", () => {
    const name = fc.oneof(
      fc.nat({ max: 6 }).map(candidate),
      fc.nat({ max: 6 }).map(staging),
      fc.constantFrom("latest", "1", "1.2", "1.2.3", "v0.5.0", "main", "sha-1234"),
    );
    const tags = fc.uniqueArray(
      fc.record({
        tag: name,
        digest: fc.constantFrom("a", "b", "c", "d").map(digest),
        created: fc.option(fc.date({ min: day("2026-01-01"), max: day("2026-06-01"), noInvalidDate: true }), {
          nil: undefined,
        }),
      }),
      { selector: (one) => one.tag, maxLength: 12 },
    );
    let removed = 0;
    fc.assert(
      fc.property(tags, fc.nat({ max: 3 }), fc.boolean(), (given, keep, undated) => {
        const selection = selectPrunable(given, { before, keep, undated });
        const gone = new Set(selection.remove.map((one) => one.digest));
        removed += gone.size;
        for (const one of given.filter((other) => gone.has(other.digest))) {
          expect(["candidate", "staging"]).toContain(kindOfTag(one.tag).kind);
          const dated = one.tag.startsWith("staging-")
            ? given.find((other) => other.tag === one.tag.replace("staging", "candidate"))
            : one;
          expect(dated?.created === undefined ? undated : dated.created < before).toBe(true);
        }
        const told = [
          ...selection.remove.flatMap((one) => one.tags),
          ...selection.keep.map((one) => one.tag),
        ];
        const ours = given.map((one) => one.tag).filter((one) => /^(candidate|staging)-/.test(one));
        expect(told.sort()).toEqual(ours.sort());
      }),
      { numRuns: 500 },
    );
    expect(removed).toBeGreaterThan(50);
  });
});
