import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";
import { wrapCommand } from "../src/text/command.js";

it.each([
  ["short", "tgo verify --fast"],
  [
    "long",
    "tgo verify --service tgo-web --tag candidate-3c5daaac807f62f8 --catalog .demo/tgo.catalog.json --fast",
  ],
  [
    "with quotes",
    "tgo publish --value 'A=two words --and more' --value \"B=it's\" --source '/a folder/with a long path/x'",
  ],
  ["with a long word", `tgo publish --registry ${"a=localhost:5000/tgoai,".repeat(5)} --fast`],
])("a command that is %s means the same to a shell in its lines, which fit", (_, command) => {
  const lines = wrapCommand(command, "next: ", 60);
  const words = (text: string): string =>
    execFileSync("sh", ["-c", `printf '%s\\n' ${text}`], { encoding: "utf8" });
  expect(words(lines.join("\n").replace("next: ", ""))).toBe(words(command));
  const tooLong = lines.filter(
    (line) => line.length > 60 && line.replace(/ \\$/, "").trim().split(" ").length > 2,
  );
  expect(tooLong).toEqual([]);
});

it("a flag stays with its value", () => {
  const command =
    "tgo publish --fast --service tgo-api,tgo-web,tgo-rag --value 'A=two words' --source ../tgo";
  for (const line of wrapCommand(command, "next: ", 44))
    expect(line).not.toMatch(/--(?:service|value|source) \\$/);
});
