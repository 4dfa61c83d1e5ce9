import { expect, it } from "vitest";
import { scrubber } from "../src/exec/scrub.js";
import { cutLine, LONGEST_LINE, lineSplitter } from "../src/lines.js";

it("lines of output are complete, wherever the chunks are split", () => {
  const lines: string[] = [];
  const { push, end } = lineSplitter((line) => lines.push(line));
  for (const chunk of ["on", "e\ntwo\r\n\nth", "ree\rfour\nfive"]) push(Buffer.from(chunk));
  expect(lines).toEqual(["one", "two", "three", "four"]);
  end();
  expect(lines).toEqual(["one", "two", "three", "four", "five"]);
});

it("a secret is masked wherever its chunks are split, also inside a character", () => {
  const secret = "pässwörd-0123";
  const { line } = scrubber([secret]);
  const bytes = Buffer.from(`got ${secret}.\n`);
  for (let at = 1; at < bytes.length; at++) {
    const lines: string[] = [];
    const { push } = lineSplitter((text) => lines.push(line(text)));
    push(bytes.subarray(0, at));
    push(bytes.subarray(at));
    expect(lines).toEqual(["got ***."]);
  }
});

it("an endless line is cut, and shows no part of a secret that reaches over the cut", () => {
  const { line } = scrubber(["correct-horse-battery"]);
  const lines: string[] = [];
  const { push, end } = lineSplitter((text) => lines.push(cutLine(line(text))));
  push(Buffer.from("x".repeat(LONGEST_LINE - 7)));
  push(Buffer.from("correct-horse-battery"));
  for (let chunk = 0; chunk < 100; chunk++) push(Buffer.alloc(LONGEST_LINE, "y"));
  end();
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain("correct");
  expect(lines[0]?.length).toBe(LONGEST_LINE + 1);
});
