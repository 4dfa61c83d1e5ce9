import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { tgo } from "./fixture.js";

async function script(shell: string): Promise<string> {
  const { code, stdout, loaded } = await tgo(`completion ${shell}`);
  expect([code, loaded]).toEqual([0, false]);
  return stdout;
}

/** What bash offers for the last word of a command line. */
async function offered(line: string): Promise<string[]> {
  const words = line.split(" ");
  const program = `${await script("bash")}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(" ")}); COMP_CWORD=${words.length - 1}
_tgo; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["--norc", "-c", program], { encoding: "utf8" }).trim().split("\n");
}

describe("bash completes", () => {
  it.each([
    ["tgo pub", ["publish"]],
    ["tgo publish --serv", ["--service"]],
    ["tgo publish --service a --fo", ["--format"]],
    ["tgo publish --format m", ["markdown"]],
    ["tgo publish --platform linux/ar", ["linux/arm64"]],
    ["tgo --engine local publish --dr", ["--dry-run"]],
    ["tgo explain UNA", ["UNAUTHORIZED", "UNAVAILABLE"]],
    ["tgo completion f", ["fish"]],
  ])("%s", async (line, expected) => {
    expect((await offered(line)).sort()).toEqual(expected);
  });

  it("files where a flag takes one, and nothing where it takes any text", async () => {
    expect(await offered("tgo publish --catalog /etc/host")).toContain("/etc/hostname");
    expect(await offered("tgo publish --revision ")).toEqual([""]);
  });
});

it("zsh and fish have every function and flag, and no quote of a description ends theirs", async () => {
  const zsh = await script("zsh");
  expect(zsh).toContain("'publish:Publishes services'");
  expect(zsh).toMatch(
    / publish\) _arguments .*'\*--format=\[How the result is written\]:format:\(text json markdown html\)'/,
  );
  const fish = await script("fish");
  expect(fish).toContain("complete -c tgo -n __fish_use_subcommand -a publish -d 'Publishes services'");
  expect(fish).toContain(
    "-n '__fish_seen_subcommand_from publish' -l source -r -F -d 'The service\\'s source'",
  );
});
