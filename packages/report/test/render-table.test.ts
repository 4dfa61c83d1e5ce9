import { describe, expect, it } from "vitest";
import { renderLine, renderTable } from "../src/render-table.js";

const HEAD = ["registry", "latest"];

describe("a list as a table", () => {
  it("has one line per row, whatever a cell contains", () => {
    const rows = [["ghcr", "a | b\nc \u001B[31mred\u001B[0m <b>"]];
    expect(renderTable(HEAD, rows, "text").split("\n")).toEqual([
      "  registry  latest",
      "  ghcr      a | b c red <b>",
    ]);
    expect(renderTable(HEAD, rows, "markdown").split("\n")).toEqual([
      "| registry | latest |",
      "| --- | --- |",
      "| ghcr | a \\| b c red &lt;b&gt; |",
    ]);
  });
});

describe("a line next to a table", () => {
  it.each([
    ["text", "*not* known: <html>"],
    ["markdown", "\\*not\\* known: &lt;html&gt;"],
  ] as const)("is text in %s", (format, expected) => {
    expect(renderLine("*not* known:\n<html>", format)).toBe(expected);
  });
});
