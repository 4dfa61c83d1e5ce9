import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { flagWords, shellQuote } from "../src/index.js";

it.each([
  "plain",
  "",
  "two words",
  "it's",
  "$HOME",
  "`id`",
  "a\nb",
  "=equals",
  "~",
  "*",
  "--flag",
  "a\\b",
  '"',
  "…",
  "é",
])("%j reaches a program through a shell as it is", (word) => {
  expect(execFileSync("sh", ["-c", `printf %s ${shellQuote(word)}`], { encoding: "utf8" })).toBe(word);
});

it("flags: lists repeat, switches stand alone, what is undefined is left out", () => {
  const flags = {
    service: ["a", "b,c"],
    version: "1.2.3",
    remove: true,
    elf: false,
    days: 3,
    tag: undefined,
  };
  expect(flagWords(flags)).toBe(
    `--service a --service '"b,c"' --version 1.2.3 --remove --elf=false --days 3`,
  );
  expect(flagWords({})).toBe("");
});
