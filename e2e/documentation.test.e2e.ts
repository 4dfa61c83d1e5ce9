import { cp, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import surface from "../pipelines/tgo/module-api.json";
import { createHarness, execute, ROOT, SAMPLES, type Harness } from "./harness.js";

/** Commands in the documentation: in code blocks, and between backticks in tables. */
async function documented(start: string): Promise<string[]> {
  const pages = [
    "README.md",
    "docs/guides/two-ways.md",
    "docs/guides/base-updates.md",
    "docs/reference/catalog.md",
    "docs/background/architecture.md",
  ];
  const read = async (page: string): Promise<string> => {
    const text = await readFile(join(ROOT, page), "utf8");
    // Drops samples of output, and joins commands that span lines.
    return text.replaceAll(/^```text\n[^]*?^```/gm, "").replaceAll(/\\\n */g, "");
  };
  const texts = await Promise.all(pages.map(read));
  const lines = texts.flatMap((text) => [
    ...text.matchAll(new RegExp(`(?:^ *|\`)(${start} [^\`\n]+)`, "gm")),
  ]);
  return [...new Set(lines.map(([, line = ""]) => (line.split("&&")[0] ?? "").trim()))];
}

const tgoLines = await documented("npx --no-install tgo");
const daggerLines = await documented("dagger call");

describe("the documentation's tgo commands", () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await createHarness("local");
    await cp(SAMPLES, join(harness.folder, "tgo/repos"), { recursive: true });
    await mkdir(join(harness.folder, "here/pipelines"), { recursive: true });
  });
  afterAll(() => harness.close());

  // Skips commands that need the reader's own file, a commit to release, a released tag or a made-up mirror.
  it.each(tgoLines.filter((line) => !/--catalog|--version|--tag|example\.com/.test(line)))(
    "%s",
    async (line) => {
      const args = line
        .replace("npx --no-install tgo ", "")
        .replaceAll("ghcr.io/me/tgo", `${harness.registries.open.host}/me/tgo`)
        .split(" ");
      const outcome = await harness.run(args, { cwd: join(harness.folder, "here") });
      expect(outcome.stderr).not.toContain("Usage");
      expect(outcome.code).toBe(0);
    },
  );

  it("also run as turbo tasks of a service", async () => {
    const flags = ["--catalog", harness.catalogFile, "--source", "examples/repos", "--engine", "local"];
    const turbo = ["--no-install", "turbo", "run", "smoke", "--filter=@tgo/service-tgo-web", "--", ...flags];
    const { code, stdout, stderr } = await execute("npx", turbo, ROOT);
    expect(stdout + stderr).toContain("smoke ok");
    expect(code).toBe(0);
  });

  it("include more than five of each kind", () => {
    expect(tgoLines.length).toBeGreaterThan(5);
    expect(daggerLines.length).toBeGreaterThan(5);
  });
});

describe("the documentation's dagger commands", () => {
  it.each(daggerLines)("%s uses the module's functions and flags, in the right order", (line) => {
    const words = line
      .replace("dagger call ", "")
      .replace(/^-m \S+ /, "")
      .split(" ");
    const position = words.findIndex((word) => surface.functions.some(({ command }) => command === word));
    const called = surface.functions.find(({ command }) => command === words[position]);
    const flags = (part: string[]): string[] => part.filter((word) => word.startsWith("--"));
    const flagOf = (argument: { flag: string }): string => `--${argument.flag}`;
    const [own, chained] = split(words.slice(position + 1));
    expect(surface.constructor.arguments.map(flagOf)).toEqual(
      expect.arrayContaining(flags(words.slice(0, position))),
    );
    expect(called?.arguments.map(flagOf)).toEqual(expect.arrayContaining(flags(own)));
    expect(["", "export"]).toContain(chained[0] ?? "");
  });

  /** A function that returns a container may be followed by a function of that container. */
  function split(words: string[]): [string[], string[]] {
    const at = words.indexOf("export");
    return at === -1 ? [words, []] : [words.slice(0, at), words.slice(at)];
  }
});
