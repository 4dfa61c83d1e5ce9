import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { emulationProblem, hostPlatform } from "../src/binfmt.js";
import { lineSplitter } from "../src/command.js";
import { parseDuration } from "../src/duration.js";
import { absolute, resolveIn } from "../src/paths.js";
import { scrubber } from "../src/scrub.js";

describe("durations", () => {
  it.each([
    ["30s", 30e9],
    ["1m30s", 90e9],
    ["2h0m5s", 7205e9],
    ["500ms", 5e8],
    ["0s", 0],
  ])("%s is read", (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
  });

  it.each(["30", "s", "1d", "-1s", "1s x"])("%s is refused", (text) => {
    expect(() => parseDuration(text)).toThrow(`"${text}" is not a duration`);
  });
});

describe("scrubbing", () => {
  it("replaces every secret, the longest first, and lines of a long one", () => {
    const scrub = scrubber(["abc", "abcdef", "line-number-one\nline-number-two\n"]);
    expect(scrub("abcdef abc")).toBe("*** ***");
    expect(scrub("x line-number-two y")).toBe("x *** y");
  });

  it("leaves a text alone when a secret is empty", () => {
    expect(scrubber([""])("text")).toBe("text");
  });
});

describe("paths in a container", () => {
  it("cannot leave it", () => {
    expect(absolute("../../etc", "/app")).toBe("/etc");
    const root = mkdtempSync(join(tmpdir(), "tgo-engine-paths-"));
    mkdirSync(join(root, "srv/real"), { recursive: true });
    symlinkSync("/srv", join(root, "absolute"));
    symlinkSync("../../../../srv", join(root, "srv/up"));
    symlinkSync("/loop", join(root, "loop"));
    expect(resolveIn(root, "/absolute/real")).toBe(join(root, "srv/real"));
    expect(resolveIn(root, "/srv/up/real/new")).toBe(join(root, "srv/real/new"));
    expect(resolveIn(root, "/absolute", false)).toBe(join(root, "absolute"));
    expect(() => resolveIn(root, "/loop")).toThrow("too many symbolic links");
    rmSync(root, { recursive: true });
  });
});

describe("lines of output", () => {
  it("are told whole, however the chunks fall", () => {
    const lines: string[] = [];
    const split = lineSplitter((line) => lines.push(line));
    for (const chunk of ["on", "e\ntwo\r\n\nth", "ree\rfour\n"]) split(Buffer.from(chunk));
    expect(lines).toEqual(["one", "two", "three", "four"]);
  });
});

describe("emulation", () => {
  it("is not needed for this machine's platform", () => {
    expect(emulationProblem(hostPlatform())).toBeUndefined();
  });

  it("that is missing is told with the commands that register it", () => {
    const problem = emulationProblem("linux/imaginary");
    expect(problem).toMatchObject({
      code: "ENVIRONMENT",
      what: "this machine cannot run linux/imaginary programs: no emulation is registered",
    });
    expect(problem?.remedy).toContain("apt-get install -y qemu-user-static");
  });
});
