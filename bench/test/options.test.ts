import { describe, expect, it } from "vitest";
import { parseOptions } from "../src/options.js";

const parse = (...args: string[]): ReturnType<typeof parseOptions> => parseOptions(args, {});

describe("the command line", () => {
  it("measures everything three times and writes to docs, unless told otherwise", () => {
    const options = parse();
    expect(options).toMatchObject({ rounds: 3, emulatedRounds: 1, services: [], engine: "buildah" });
    expect(options?.output).toMatch(/\/docs$/);
  });

  it.each([["--quick"], ["--service", "shop"], ["--source", "."]])(
    "does not put a part of the measurements into docs: %s %s",
    (...args) => {
      expect(parse(...args)?.output).toBeUndefined();
      expect(parse(...args, "--output", "docs")?.output).toMatch(/\/docs$/);
    },
  );

  it("takes several services in one flag or in many", () => {
    expect(parse("--service", "a,b", "--service", "c")?.services).toEqual(["a", "b", "c"]);
  });

  it.each([
    [["--rounds", "0"], "--rounds 0 is not a whole number of 1 or more"],
    [["--rounds", "many"], "--rounds many"],
    [["--engine", "docker"], 'there is no engine "docker"'],
    [["--round", "3"], "Unknown option '--round'"],
    [["--catalog", "/does/not/exist"], "there is no such file (--catalog)"],
  ])("refuses %j", (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });
});
