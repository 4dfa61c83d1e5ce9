import { describe, expect, it } from "vitest";
import { parseCreated, sourceTimes } from "../../src/source/times.js";

describe("--created", () => {
  it.each([
    ["1767261600", "2026-01-01T10:00:00.000Z"],
    ["2026-01-01T10:00:00Z", "2026-01-01T10:00:00.000Z"],
    ["2026-01-01T18:00:00+08:00", "2026-01-01T10:00:00.000Z"],
    ["2026-01-01 18:00:00 +0800", "2026-01-01T10:00:00.000Z"],
    ["Thu, 01 Jan 2026 10:00:00 GMT", "2026-01-01T10:00:00.000Z"],
    ["2026-01-01", "2026-01-01T00:00:00.000Z"],
  ])("%s is one moment everywhere", (text, expected) => {
    expect(parseCreated(text).toISOString()).toBe(expected);
  });

  it.each(["2026-01-01T10:00:00", "2026-01-01 10:00", "2026-1-5", "Jan 1 2026", "01/02/2026"])(
    "%s depends on the machine's time zone and is refused",
    (text) => {
      expect(() => parseCreated(text)).toThrow(/has no time zone[^]*RFC 3339/);
    },
  );

  it.each(["yesterday", "2026-13-01T00:00:00Z"])("%s is no time", (text) => {
    expect(() => parseCreated(text)).toThrow(/is not a time/);
  });
});

describe("the times of a source", () => {
  it("are the commit's, of the image and of its files", () => {
    const commit = new Date("2026-01-02T03:04:05Z");
    expect(sourceTimes(commit, "0123abcd")).toEqual({ created: commit, modified: commit });
  });

  it("are the same whether the unknown time is left out or given, and the files' differ with the content", () => {
    const unknown = sourceTimes(undefined, "0123abcd");
    expect(sourceTimes(parseCreated("1980-01-01T00:00:00Z"), "0123abcd")).toEqual(unknown);
    expect(unknown.created.toISOString()).toBe("1980-01-01T00:00:00.000Z");
    expect(unknown.modified).not.toEqual(unknown.created);
    expect(sourceTimes(undefined, "4123abcd").modified).not.toEqual(unknown.modified);
  });
});
