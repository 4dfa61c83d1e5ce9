import { TgoError } from "../src/error.js";
import { describe, expect, it } from "vitest";
import { foreseenProblem, problemOf } from "../src/problem.js";

it("keeps everything a foreseen error says", () => {
  const error = new TgoError("DENIED", "refused", { where: "ghcr.io/a/b", remedy: "ask" });
  expect(problemOf(error)).toEqual({ code: "DENIED", what: "refused", where: "ghcr.io/a/b", remedy: "ask" });
});

it("calls anything else our defect, by its first line", () => {
  expect(problemOf(new Error("oh\nstack"))).toEqual({ code: "INTERNAL", what: "oh" });
});

it("leaves out what the engine adds for tracing tools", () => {
  const error = new TgoError("BUILD", "no such file [traceparent:81ef73e7-ef616441acce1454]");
  expect(problemOf(error).what).toBe("no such file");
});

describe("foreseenProblem", () => {
  it("turns a foreseen failure into a problem", () => {
    expect(foreseenProblem(new TgoError("NOT_FOUND", "no such tag"))).toEqual({
      code: "NOT_FOUND",
      what: "no such tag",
    });
  });

  it.each([new TypeError("a defect"), new TgoError("INTERRUPTED", "stopped")])("rethrows %s", (error) => {
    expect(() => foreseenProblem(error)).toThrow(error);
  });
});
