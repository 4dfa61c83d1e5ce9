import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterWrite, tagTargets, kindOfTag, isFloating, type TagTarget } from "../src/index.js";
import { candidateProblem } from "../src/candidate-problem.js";
import { inLine } from "../src/tag-kind.js";
import { type FloatingRequest, decideFloatingTag, decideVersionTag } from "../src/tag-moves.js";
import { versionBehind } from "../src/tag-target.js";
import { isNewer } from "../src/version.js";
import { closeVersion, digest, version } from "./arbitraries.js";

const A = digest("a");
const B = digest("b");
const held = (text: string | undefined, of = A): TagTarget => ({
  digest: of,
  version: text === undefined ? undefined : version(text),
});

describe("a version's tag", () => {
  const where = "ghcr.io/x/tgo-api:1.2.3";

  it("is written where it is missing, and kept where it exists", () => {
    expect(decideVersionTag({ current: undefined, wanted: A, where })).toEqual({ act: "write" });
    expect(decideVersionTag({ current: A, wanted: A, where })).toEqual({ act: "keep" });
  });

  it("never moves to another digest, which must become the next version", () => {
    const move = decideVersionTag({ current: A, wanted: B, where });
    expect(move.act === "refuse" && move.error.code).toBe("CONFLICT");
    expect(move.act === "refuse" && move.error.message).toMatch(
      new RegExp(`^${where}: it already points to ${A}.*${B}\n.*next version`),
    );
  });
});

describe("a floating tag", () => {
  const ask = (change: Partial<FloatingRequest>): ReturnType<typeof decideFloatingTag> =>
    decideFloatingTag({
      tag: "latest",
      current: undefined,
      wanted: { digest: B, version: version("1.2.3") },
      where: "ghcr.io/x/tgo-api:latest",
      ...change,
    });
  const wanted = (text: string): FloatingRequest["wanted"] => ({ digest: B, version: version(text) });

  it.each<[name: string, change: Partial<FloatingRequest>, move: object]>([
    ["is new where there is none", {}, { act: "write", why: "new" }],
    ["goes forward", { current: held("1.2.2") }, { act: "write", why: "forward" }],
    [
      "goes forward over a major version",
      { current: held("1.9.9"), wanted: wanted("2.0.0") },
      { act: "write" },
    ],
    ["is kept with the same digest", { current: held("1.2.3", B) }, { act: "keep" }],
    ["is kept with the same digest of unknown version", { current: held(undefined, B) }, { act: "keep" }],
    ["stays on a newer version", { current: held("1.2.4") }, { act: "stay", newer: version("1.2.4") }],
    ["stays on a version that is newer by number, not by text", { current: held("1.10.0") }, { act: "stay" }],
    [
      "goes backwards when told to",
      { current: held("1.2.4"), allowBackwards: true },
      { act: "write", why: "backwards" },
    ],
    [
      "goes from a version's prerelease to it",
      { current: held("1.2.3-rc.1") },
      { act: "write", why: "forward" },
    ],
    ["stays on a newer prerelease that others put there", { current: held("1.3.0-rc.1") }, { act: "stay" }],
    [
      "goes back from a prerelease when told to",
      { current: held("1.3.0-rc.1"), allowBackwards: true },
      { act: "write", why: "backwards" },
    ],
    ["is not taken from an unknown version", { current: held(undefined) }, { act: "refuse" }],
    [
      "is not taken from an unknown version because backwards is allowed",
      { current: held(undefined), allowBackwards: true },
      { act: "refuse" },
    ],
    [
      "is adopted from an unknown version",
      { current: held(undefined), adopt: true },
      { act: "write", why: "adopted" },
    ],
    ["is not taken from another image of the same version", { current: held("1.2.3") }, { act: "refuse" }],
    [
      "is adopted from another image of the same version",
      { current: held("1.2.3"), adopt: true },
      { act: "write", why: "adopted" },
    ],
    ["stays on a newer version, adopt or not", { current: held("1.2.4"), adopt: true }, { act: "stay" }],
    ["is not for prereleases", { wanted: wanted("1.2.4-rc.1") }, { act: "refuse" }],
    [
      "is not for prereleases, whatever is allowed",
      { current: held("1.2.2"), wanted: wanted("1.2.4-rc.1"), adopt: true, allowBackwards: true },
      { act: "refuse" },
    ],
    [
      "of a line goes forward in it",
      { tag: "1.2", current: held("1.2.2") },
      { act: "write", why: "forward" },
    ],
    ["of a line on another line is strange", { tag: "1.2", current: held("1.1.0") }, { act: "refuse" }],
    [
      "of a line on another, newer line is strange",
      { tag: "1.2", current: held("1.3.0") },
      { act: "refuse" },
    ],
    [
      "of a line on another line is adopted",
      { tag: "1", current: held("2.0.0"), adopt: true },
      { act: "write", why: "adopted" },
    ],
    ["of another line is not moved", { tag: "1.3" }, { act: "refuse" }],
    ["is no version's tag", { tag: "1.2.3" }, { act: "refuse" }],
    [
      "is not made where a newer version has it elsewhere",
      { competing: [{ version: version("1.2.4"), reason: "is latest in ghcr" }] },
      { act: "stay", newer: version("1.2.4") },
    ],
    [
      "does not go forward to what is not the newest elsewhere",
      { current: held("1.2.2"), competing: [{ version: version("1.2.4"), reason: "is latest in ghcr" }] },
      { act: "stay" },
    ],
    [
      "goes where it is sent backwards, whatever others have",
      {
        current: held("1.2.4"),
        competing: [{ version: version("1.2.4"), reason: "x" }],
        allowBackwards: true,
      },
      { act: "write" },
    ],
    [
      "heeds no claim of an older version, a prerelease or another line",
      {
        tag: "1.2",
        current: held("1.2.2"),
        competing: ["1.2.2", "1.2.4-rc.1", "1.3.0"].map((text) => ({ version: version(text), reason: "x" })),
      },
      { act: "write" },
    ],
  ])("%s", (_, change, move) => {
    expect(ask(change)).toMatchObject(move);
  });

  it("names the flag that overwrites an unknown version", () => {
    const move = ask({ current: held(undefined) });
    expect(move.act === "refuse" && move.error.message).toMatch(
      /:latest: its version is unknown.*\n.*--adopt-latest/,
    );
  });

  it("says why it stays", () => {
    const stays = ask({ current: held("1.2.4") });
    expect(stays).toMatchObject({ message: "stays on 1.2.4, newer than 1.2.3" });
    const claimed = ask({ competing: [{ version: version("1.3.0"), reason: "is latest in ghcr" }] });
    expect(claimed).toMatchObject({
      message: "left absent: 1.3.0, newer than 1.2.3, is latest in ghcr",
    });
  });

  it("never goes backwards unless allowed, nor to a prerelease, nor to another line", () => {
    const tags = fc.constantFrom("latest", "1", "2", "1.1", "1.2", "0.1");
    const holding = fc.option(
      fc.record({ digest: fc.constantFrom(A, B), version: fc.option(closeVersion, { nil: undefined }) }),
      { nil: undefined },
    );
    let written = 0;
    fc.assert(
      fc.property(
        tags,
        holding,
        closeVersion,
        fc.boolean(),
        fc.boolean(),
        (tag, now, next, backwards, adopt) => {
          const move = ask({
            tag,
            current: now,
            wanted: { digest: B, version: next },
            allowBackwards: backwards,
            adopt,
          });
          if (move.act !== "write") return;
          written++;
          const kind = kindOfTag(tag);
          expect(next.stable && isFloating(kind) && inLine(kind, next)).toBe(true);
          expect(now?.digest).not.toBe(B);
          if (now?.version === undefined) expect(now === undefined || adopt).toBe(true);
          else if (isFloating(kind) && inLine(kind, now.version) && !backwards)
            expect(isNewer(now.version, next)).toBe(false);
        },
      ),
      { numRuns: 2000 },
    );
    expect(written).toBeGreaterThan(50);
  });
});

describe("the version behind a tag", () => {
  it.each<[string, string | undefined, string[], string | undefined]>([
    ["is what the index says", "1.2.3", [], "1.2.3"],
    ["is what the index says before any tag", "1.2.3", ["1.2.4"], "1.2.3"],
    ["may be written with a v", "v1.2.3", [], "1.2.3"],
    ["else is the version tag with the same digest", undefined, ["1.2.3"], "1.2.3"],
    ["is not a branch's name", "main", ["1.2.3"], "1.2.3"],
    ["is the version before its prerelease", undefined, ["1.2.3-rc.1", "1.2.3"], "1.2.3"],
    ["else is unknown", undefined, [], undefined],
    ["is unknown when the index says none", "", [], undefined],
  ])("%s", (_, annotation, tags, expected) => {
    const behind = versionBehind({ annotation, versionTagsWithSameDigest: tags.map(version) });
    expect(behind?.text).toBe(expected);
  });

  it("is found for images that were released under their Git tag", () => {
    const held = tagTargets(
      [
        { tag: "tgo-api-v0.3.1", digest: A },
        { tag: "latest", digest: A },
        { tag: "0.3", digest: B },
      ],
      "tgo-api",
    );
    expect(held.get("latest")?.version?.text).toBe("0.3.1");
    expect(held.get("0.3")?.version).toBeUndefined();
  });
});

describe("a tag read after a write", () => {
  const write = { tag: "latest", wrote: { digest: B, version: version("1.2.3") }, where: "r/x:latest" };

  it.each<[string, TagTarget | undefined, TagTarget | undefined, object]>([
    ["is done with the digest", held("1.2.2"), held("1.2.3", B), { state: "ok" }],
    ["is not seen yet where the old one is", held("1.2.2"), held("1.2.2"), { state: "stale" }],
    ["is not seen yet where none is", undefined, undefined, { state: "stale" }],
    ["is not seen where the old one is gone", held("1.2.2"), undefined, { state: "stale" }],
    [
      "is overtaken by a newer version",
      held("1.2.2"),
      held("1.2.4", digest("c")),
      { state: "overwritten", relation: "newer" },
    ],
    [
      "is lost to an older version",
      undefined,
      held("1.2.1", digest("c")),
      { state: "overwritten", relation: "older" },
    ],
    [
      "is lost to another image",
      undefined,
      held("1.2.3", digest("c")),
      { state: "overwritten", relation: "same version" },
    ],
    [
      "is lost to an unknown version",
      undefined,
      held(undefined, digest("c")),
      { state: "overwritten", relation: "unknown" },
    ],
  ])("%s", (_, before, seen, result) => {
    expect(afterWrite({ ...write, before, seen })).toMatchObject(result);
  });

  it("is a failure for a version's own tag, even if the other image claims to be newer", () => {
    const result = afterWrite({
      ...write,
      tag: "1.2.3",
      before: undefined,
      seen: held("1.2.4", digest("c")),
    });
    expect(result).toMatchObject({ state: "overwritten", relation: "unknown" });
  });

  it("is a failure for a version's own tag, whatever overwrote it", () => {
    const result = afterWrite({
      ...write,
      tag: "1.2.3",
      before: undefined,
      seen: held("1.2.3", digest("c")),
    });
    expect(result.state === "overwritten" && result.relation !== "newer" && result.error.message).toMatch(
      /someone else moved it to 1\.2\.3 \(sha256:c.*while 1\.2\.3 was being released\n.*next version/s,
    );
  });

  it("that is missing says that the registry accepted it", () => {
    const result = afterWrite({ ...write, before: undefined, seen: undefined });
    expect(result.state === "stale" && result.error.message).toMatch(
      /accepted the tag for 1.2.3, but the tag is missing/,
    );
  });
});

describe("a candidate", () => {
  const ask = (facts: { version?: string; revision?: string }): string | undefined =>
    candidateProblem({ version: undefined, revision: undefined, ...facts }, version("1.2.3"), "r/x@sha256:a")
      ?.message;

  it("may be released as its own version, from a commit", () => {
    expect(ask({ version: "1.2.3", revision: "c0ffee" })).toBeUndefined();
  });

  it.each([
    [
      "of another version",
      { version: "1.2.2", revision: "c0ffee" },
      /candidate of 1\.2\.2.*\n.*--version 1\.2\.3/,
    ],
    [
      "of the version's prerelease",
      { version: "1.2.3-rc.1", revision: "c0ffee" },
      /candidate of 1\.2\.3-rc\.1/,
    ],
    ["of no version", { revision: "c0ffee" }, /has no version/],
    [
      "of changed files",
      { version: "1.2.3", revision: "dev-0123456789ab" },
      /not a commit.*\n.*Commit the changes/,
    ],
    ["of an unknown commit", { version: "1.2.3" }, /the commit it was built from/],
  ])("%s is rejected", (_, identity, message) => {
    expect(ask(identity)).toMatch(message);
  });
});
