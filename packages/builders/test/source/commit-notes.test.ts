import { describe, expect, it } from "vitest";
import { commitNotes } from "../../src/source/commit-notes.js";
import { refuseUnreleasable } from "../../src/prepare-build.js";
import type { Source } from "../../src/source/load-source.js";

const HEAD = "0123456789abcdef0123456789abcdef01234567";

function source(parts: Partial<Source>): Source {
  return {
    // Its files are not looked at.
    directory: undefined as unknown as Source["directory"],
    hidden: [],
    entries: [],
    hash: "a".repeat(64),
    revision: "dev-aaaaaaaaaaaa",
    created: new Date("2026-01-02T03:04:05Z"),
    modified: new Date("2026-01-02T03:04:05Z"),
    ...parts,
  };
}

describe("a version of a source without a commit is refused", () => {
  it.each([
    [{ changed: ["a.py"] }, "a change is not committed: a.py\n  Commit what has changed."],
    [
      { changed: ["a.py", "b.py", "c.py", "d.py", "e.py"] },
      "changes are not committed: a.py, b.py, c.py and 2 more\n  Commit what has changed.",
    ],
    [{ why: "here is no git checkout" }, "here is no git checkout\n  Give a source that is a git checkout"],
    [undefined, "no commit of it is known (--revision says it)\n  Give a source that is a git checkout"],
  ])("with the reason: %j", (uncommitted, words) => {
    expect(() => {
      refuseUnreleasable({ version: "1.2.3", source: source({ uncommitted }) });
    }).toThrow(`1.2.3 cannot be made of dev-aaaaaaaaaaaa: ${words}`);
  });

  it("but not one with a commit that was given, whatever has changed", () => {
    refuseUnreleasable({
      version: "1.2.3",
      source: source({ revision: HEAD, uncommitted: { changed: ["generated.py"] } }),
    });
  });
});

describe("the notes of a candidate", () => {
  it("are none when a commit is exactly its source", () => {
    expect(commitNotes(source({ revision: HEAD }))).toEqual([]);
  });

  it("say why its revision is no commit", () => {
    expect(commitNotes(source({ uncommitted: { changed: ["a.py"] } }))).toEqual([
      "revision dev-aaaaaaaaaaaa is the source's content: a change is not committed: a.py; " +
        "such a candidate can be pulled and tried, but never released",
    ]);
  });

  it("name what differs from the commit that was given", () => {
    expect(commitNotes(source({ revision: HEAD, uncommitted: { changed: ["a.py", "b.py"] } }))).toEqual([
      `revision ${HEAD} is as it was given, although changes are not committed: a.py, b.py`,
    ]);
  });

  it("say that a revision without its time makes an image of 1980", () => {
    expect(commitNotes(source({ revision: HEAD, created: new Date(Date.UTC(1980, 0, 1)) }))).toEqual([
      "the image's date is 1980-01-01, as the time of its revision is not known; --created says better",
    ]);
  });
});
