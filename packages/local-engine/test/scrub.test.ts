import { describe, expect, it } from "vitest";
import { scrubber } from "../src/exec/scrub.js";

describe("scrubbing", () => {
  it("replaces every secret, the longest first, and lines of a long one", () => {
    const scrub = scrubber(["abc", "abcdef", "line-number-one\nline-number-two\n"]);
    expect(scrub("abcdef abc")).toBe("*** ***");
    expect(scrub("x line-number-two y")).toBe("x *** y");
  });

  it("ignores an empty secret", () => {
    expect(scrubber([""])("text")).toBe("text");
  });
});
