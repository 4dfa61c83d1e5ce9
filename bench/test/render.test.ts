import { describe, expect, it } from "vitest";
import { replaceBetweenMarkers } from "../src/markers.js";
import { renderMarkdown, renderText } from "../src/render.js";
import { results, runs, service } from "./fixture.js";

const MARKED = "before\n<!-- bench:begin, written by npm run bench -->\nold\n<!-- bench:end -->\nafter\n";

describe("the tables", () => {
  it("show medians with minimum and maximum, and ratios of medians", () => {
    const text = renderText(results(service()));
    const cold = text.split("\n").find((line) => line.includes("shop"));
    expect(cold?.trim().split(/\s{2,}/)).toEqual([
      "shop",
      "20.0 (19.0–21.0)",
      "21.0 (20.0–22.0)",
      "1.05 ×",
      "60.0",
      "0.35 ×",
    ]);
  });

  it("show what failed and why, and what was not measured", () => {
    const failures = [{ kind: "dockerfile", round: 1, message: "no such package\nmore of it" }] as const;
    const broken = service({ runs: [...runs("one", 20), ...runs("both", 21)], failures });
    const text = renderText(results(broken));
    expect(text).toContain("shop, its Dockerfile, linux/amd64, cold, round 1: no such package\nmore of it");
    expect(text.split("\n").find((line) => /^ +shop/.test(line))).toMatch(/failed\s+–$/);
    expect(renderMarkdown(results(broken))).toContain(
      "- shop, its Dockerfile, linux/amd64, cold, round 1: no such package\n".trim(),
    );
  });

  it("show the rounds", () => {
    expect(renderMarkdown(results(service()))).toContain("Rounds: 3; foreign 1; dockerfile 1; emulated 1.");
  });

  it("never hide a missed target", () => {
    const slow = service({ runs: [...runs("one", 20), ...runs("both", 40)] });
    expect(renderText(results(slow))).toContain("2.00 × MISSED");
    expect(renderMarkdown(results(slow))).toContain("2.00 × MISSED");
    expect(renderText(results(service()))).toContain("No measured target was missed.");
  });

  it("escape Markdown in step titles", () => {
    const steps = [{ kind: "exec", title: "sh -c a | b <c>", at: 0, seconds: 30 }];
    const slow = service({ runs: [...runs("one", 20), { ...runs("both", 40)[0], steps } as never] });
    expect(renderMarkdown(results(slow))).toContain("sh -c a \\| b \\<c\\>");
  });
});

describe("the document", () => {
  it("keeps the text around the markers", () => {
    const replaced = replaceBetweenMarkers(MARKED, "new");
    expect(replaced).toMatch(/^before\n/);
    expect(replaced).toMatch(/\nafter\n$/);
    expect(replaced).toContain("\n\nnew\n\n");
    expect(replaced).not.toContain("old");
  });

  it("replaces earlier results", () => {
    expect(replaceBetweenMarkers(replaceBetweenMarkers(MARKED, "one"), "two")).toBe(
      replaceBetweenMarkers(MARKED, "two"),
    );
  });

  it("is not overwritten without markers", () => {
    expect(() => replaceBetweenMarkers("only words", "new")).toThrow("no markers for the results");
  });
});
