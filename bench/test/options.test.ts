import { describe, expect, it } from "vitest";
import { parseOptions } from "../src/options.js";

const parse = (...args: string[]): ReturnType<typeof parseOptions> => parseOptions(args, {});

describe("the command line", () => {
  it("measures everything three times and writes to docs by default", () => {
    const options = parse();
    expect(options).toMatchObject({ services: [], engine: "local" });
    expect(options?.rounds).toEqual({ one: 3, both: 3, foreign: 3, dockerfile: 3, emulated: 1 });
    expect(options?.output).toMatch(/\/docs\/background$/);
  });

  it.each([["--quick"], ["--service", "shop"], ["--source", "."]])(
    "does not write partial results to docs: %s %s",
    (...args) => {
      expect(parse(...args)?.output).toBeUndefined();
      expect(parse(...args, "--output", "docs")?.output).toMatch(/\/docs\/background$/);
    },
  );

  it("takes several services in one flag or in several", () => {
    expect(parse("--service", "a,b", "--service", "c")?.services).toEqual(["a", "b", "c"]);
  });

  it("overrides the rounds of one kind", () => {
    expect(parse("--rounds", "5", "--rounds-of", "emulated=0,dockerfile=1")?.rounds).toEqual({
      ...{ one: 5, both: 5, foreign: 5, dockerfile: 1, emulated: 0 },
    });
    expect(parse("--quick")?.rounds).toEqual({ one: 1, both: 1, foreign: 1, dockerfile: 1, emulated: 0 });
  });

  it("keeps a build argument's value literally", () => {
    expect(parse("--build-arg", "URL=https://example.com/?a=b")?.buildArgs).toEqual({
      URL: "https://example.com/?a=b",
    });
  });

  it.each([
    [["--build-arg", "URL"], "--build-arg URL is not NAME=VALUE"],
    [["--rounds-of", "warm=3"], 'unknown kind "warm" in --rounds-of'],
    [["--rounds", "0"], "--rounds 0 is not a whole number of 1 or more"],
    [["--rounds", "many"], "--rounds many"],
    [["--engine", "docker"], 'unknown engine "docker"'],
    [["--round", "3"], "Unknown option '--round'"],
    [["--catalog", "/does/not/exist"], "no such file (--catalog)"],
  ])("refuses %j", (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });
});
