import { describe, expect, it } from "vitest";
import { parseGoDuration } from "../src/api/go-duration.js";

describe("Go durations", () => {
  it.each([
    ["30s", 30e9],
    ["1m30s", 90e9],
    ["2h0m5s", 7205e9],
    ["500ms", 5e8],
    ["0s", 0],
  ])("%s is parsed", (text, nanoseconds) => {
    expect(parseGoDuration(text)).toBe(nanoseconds);
  });

  it.each(["30", "s", "1d", "-1s", "1s x"])("%s is rejected", (text) => {
    expect(() => parseGoDuration(text)).toThrow(`"${text}" is not a duration`);
  });
});
