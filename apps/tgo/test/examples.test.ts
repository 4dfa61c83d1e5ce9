import { expect, it } from "vitest";
import moduleApi from "../../../pipelines/tgo/module-api.json";
import { parseCommandLine } from "../src/command-line.js";
import { EXAMPLES } from "../src/help.js";
import { commandApi } from "../src/command-api.js";
import type { ModuleApi } from "../src/module-api.js";

const texts = [EXAMPLES.program, ...Object.values(EXAMPLES.functions)];
const lines = texts.flatMap((text) => [...text.matchAll(/^ {2}tgo (.*)$/gm)].map(([, line = ""]) => line));

/** Without the explanation beside it, and without the program that reads its output. */
function words(line: string): string[] {
  return (line.split(/ {2,}| \| /)[0] ?? "").split(" ");
}

it.each(lines)("the command line of help's example is a right one: tgo %s", (line) => {
  const parsed = parseCommandLine(words(line), {
    moduleApi: commandApi(moduleApi as ModuleApi),
    name: "tgo",
    command: "tgo",
    version: "1",
    writeOut: () => undefined,
    writeErr: () => undefined,
    width: 100,
  });
  if (words(line).includes("--help")) expect(parsed).toEqual({ shown: true, requested: true });
  else expect(parsed).toMatchObject({ function: { command: words(line)[0] } });
});

it("every function that help has examples of exists", () => {
  const known = new Set(moduleApi.functions.map(({ command }) => command));
  expect(Object.keys(EXAMPLES.functions).filter((name) => !known.has(name))).toEqual([]);
});
