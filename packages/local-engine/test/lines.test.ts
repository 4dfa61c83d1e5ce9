import { expect, it } from "vitest";
import { lineSplitter } from "../src/lines.js";

it("lines of output are complete, wherever the chunks are split", () => {
  const lines: string[] = [];
  const split = lineSplitter((line) => lines.push(line));
  for (const chunk of ["on", "e\ntwo\r\n\nth", "ree\rfour\n"]) split(Buffer.from(chunk));
  expect(lines).toEqual(["one", "two", "three", "four"]);
});
