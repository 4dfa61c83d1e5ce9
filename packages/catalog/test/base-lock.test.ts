import { describe, expect, it } from "vitest";
import { formatBaseLock, parseBaseLock, pinned } from "../src/index.js";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const PYTHON = "docker.io/library/python:3.11-slim";
const lock = (bases: unknown): string => JSON.stringify({ bases });

describe("a base lock", () => {
  it("parses back to what was written, one sorted line per base image", () => {
    const text = formatBaseLock({ [PYTHON]: DIGEST, "docker.io/library/nginx:alpine": DIGEST });
    expect(parseBaseLock(text, "tgo.bases.json").bases).toEqual({
      [PYTHON]: DIGEST,
      "docker.io/library/nginx:alpine": DIGEST,
    });
    expect(text.indexOf("nginx")).toBeLessThan(text.indexOf("python"));
    expect(text.endsWith("\n")).toBe(true);
  });

  it.each<[string, string, RegExp]>([
    [
      "a name without a host",
      lock({ "python:3.11-slim": DIGEST }),
      /bases\.python:3\.11-slim: must be a full image/,
    ],
    [
      "a name with a digest",
      lock({ [`${PYTHON}@${DIGEST}`]: DIGEST }),
      /bases\.docker\.io.*is pinned already/,
    ],
    [
      "a short digest",
      lock({ [PYTHON]: "sha256:1234" }),
      /bases\.docker\.io.*64 lower-case hex.*got "sha256:1234"/,
    ],
    ["another field", JSON.stringify({ bases: {}, base: {} }), /base: unknown field/],
    ["no JSON", "{", /not valid JSON/],
    ["nothing", "", /not valid JSON/],
  ])("is rejected with %s, naming file, path and remedy", (_, text, message) => {
    const read = (): unknown => parseBaseLock(text, "mine.json");
    expect(read).toThrow(message);
    expect(read).toThrow("mine.json");
    expect(read).toThrow("tgo lock-bases");
  });
});

describe("a base image", () => {
  it("is pinned to the lock's digest, keeps its own, or stays unpinned", () => {
    const pins = { [PYTHON]: DIGEST };
    expect(pinned(PYTHON, pins)).toBe(`${PYTHON}@${DIGEST}`);
    expect(pinned("docker.io/library/python:3.12", pins)).toBe("docker.io/library/python:3.12");
    const own = `${PYTHON}@sha256:${"cd".repeat(32)}`;
    expect(pinned(own, { ...pins, [own]: DIGEST })).toBe(own);
  });
});
