import { describe, expect, it } from "vitest";
import { commitNotes } from "../../src/source/commit-notes.js";
import { refuseUnreleasable } from "../../src/prepare-build.js";
import type { Source } from "../../src/source/load-source.js";

const HEAD = "0123456789abcdef0123456789abcdef01234567";

function source(parts: Partial<Source>): Source {
  return {
    // Its files are not read.
    directory: undefined as unknown as Source["directory"],
    hidden: [],
    entries: [],
    hash: "a".repeat(64),
    revision: "dev-aaaaaaaaaaaa",
    created: new Date("2026-01-02T03:04:05Z"),
    modified: new Date("2026-01-02T03:04:05Z"),
    uncommitted: undefined,
    ...parts,
  };
}

describe("a version is rejected for a source without a commit", () => {
  it.each([
    [{ changed: ["a.py"] }, "a change is not committed: a.py\n  Commit the changes."],
    [
      { changed: ["a.py", "b.py", "c.py", "d.py", "e.py"] },
      "changes are not committed: a.py, b.py, c.py and 2 more\n  Commit the changes.",
    ],
    [{ why: "here is no git checkout" }, "here is no git checkout\n  Pass a source that is a git checkout"],
    [undefined, "its commit is unknown (pass --revision)\n  Pass a source that is a git checkout"],
  ])("with the reason: %j", (uncommitted, words) => {
    expect(() => {
      refuseUnreleasable({ version: "1.2.3", source: source({ uncommitted }) });
    }).toThrow(`1.2.3 cannot be built from dev-aaaaaaaaaaaa: ${words}`);
  });

  it("and for a checkout that differs from the commit that is released, each file named", () => {
    const differs = Array.from({ length: 12 }, (_, i) => `f${i} (modified)`);
    const names = differs.slice(0, 10).join(", ");
    const released = { revision: HEAD, uncommitted: { differs, remedy: "Commit it." } };
    expect(() => {
      refuseUnreleasable({ version: "1.2.3", source: source(released) });
    }).toThrow(
      `1.2.3 cannot be built from ${HEAD}: the folder differs from the commit: ${names} and 2 more\n  Commit it.`,
    );
    refuseUnreleasable({ version: undefined, source: source(released) });
  });

  it("but not if the commit was passed, whatever has changed", () => {
    refuseUnreleasable({
      version: "1.2.3",
      source: source({ revision: HEAD, uncommitted: { changed: ["generated.py"] } }),
    });
  });
});

describe("the notes of a candidate", () => {
  it("are empty if the source equals a commit", () => {
    expect(commitNotes(source({ revision: HEAD }))).toEqual([]);
  });

  it("explain why its revision is not a commit", () => {
    expect(commitNotes(source({ uncommitted: { changed: ["a.py"] } }))).toEqual([
      "the revision is derived from the source's content: a change is not committed: a.py; " +
        "such a candidate can be pulled and tried, but never released",
    ]);
  });

  it("name the files that differ from the commit that was passed", () => {
    expect(commitNotes(source({ revision: HEAD, uncommitted: { changed: ["a.py", "b.py"] } }))).toEqual([
      `revision ${HEAD} was passed by --revision, but changes are not committed: a.py, b.py`,
    ]);
  });

  it("warn that an image is dated 1980 if the time of its revision is unknown", () => {
    expect(commitNotes(source({ revision: HEAD, created: new Date(Date.UTC(1980, 0, 1)) }))).toEqual([
      "the image is dated 1980-01-01 because the time of its revision is unknown; set it with --created",
    ]);
  });
});
