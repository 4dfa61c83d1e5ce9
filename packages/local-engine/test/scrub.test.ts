import { describe, expect, it } from "vitest";
import { scrubber } from "../src/exec/scrub.js";

describe("scrubbing", () => {
  it("masks secrets, the credentials in documents, and the passwords of addresses", () => {
    const npmrc = "registry=https://npm.example.com/\n//npm.example.com/:_authToken=correct-horse\n";
    const { result } = scrubber(["abc-def", npmrc, ""], ["http://me:pr0xy-pass@proxy:3128", undefined]);
    expect(result("abc-def https://npm.example.com/ correct-horse pr0xy-pass")).toBe(
      "*** https://npm.example.com/ *** ***",
    );
  });

  it("leaves a command's result as it is otherwise, and lines for people not", () => {
    const { result, line } = scrubber([]);
    const text = "https://me:other-pass@example.com/file.whl";
    expect(result(text)).toBe(text);
    expect(line(text)).toBe("https://***@example.com/file.whl");
  });
});
