import { describe, expect, it } from "vitest";
import { parseCreated } from "../../src/source/times.js";

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
