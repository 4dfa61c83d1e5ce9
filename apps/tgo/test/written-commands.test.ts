import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import moduleApi from "../../../pipelines/tgo/module-api.json";
import { parseCommandLine } from "../src/command-line.js";
import { commandApi } from "../src/command-api.js";
import type { ModuleApi } from "../src/index.js";

const ROOT = new URL("../../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, ROOT), "utf8");

/** Files below these folders, as paths from the root. */
function filesOf(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(new URL(folder, ROOT), { recursive: true, encoding: "utf8" })
      .map((name) => `${folder}/${name}`)
      .filter((path) => statSync(new URL(path, ROOT)).isFile()),
  );
}

const FILES = filesOf("ci");
const WORKFLOWS = filesOf("ci/github", ".github/workflows");
const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith(".md")),
  ...filesOf("docs").filter((path) => path.endsWith(".md")),
];

/** Every text in a YAML file: scripts have their lines folded as their reader sees them. */
function textsOf(path: string): string[] {
  if (!/\.ya?ml$/.test(path)) return [read(path)];
  const texts: string[] = [];
  const collect = (value: unknown): void => {
    if (typeof value === "string") texts.push(value);
    else if (typeof value === "object" && value !== null) Object.values(value).forEach(collect);
  };
  for (const document of parseAllDocuments(read(path))) {
    expect(document.errors).toEqual([]);
    collect(document.toJS());
  }
  return texts;
}

/** Our commands in a file, as words without quotes. In Markdown a backtick ends one, and samples of output have none. */
function commandsOf(path: string): string[][] {
  return textsOf(path).flatMap((text) =>
    text
      .replaceAll(/^```text\n[^]*?^```/gm, "")
      .replaceAll(/\\\n\s*/g, " ")
      .split(path.endsWith(".md") ? /\n|`/ : "\n")
      .flatMap((line) => /npx --no-install tgo (.*)$/.exec(line)?.[1] ?? [])
      .map((line) => line.replace(/ (?:\d?>|\||&&) .*$/, ""))
      .map((line) => [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "")),
  );
}

/** `requested` is of a command line that asks for help. */
const parse = (words: readonly string[]): { requested?: boolean } => {
  const parsed = parseCommandLine(words, {
    // JSON knows no literal types.
    moduleApi: commandApi(moduleApi as unknown as ModuleApi),
    name: "tgo",
    command: "tgo",
    version: "1.2.3",
    width: 80,
    writeOut: () => undefined,
    writeErr: () => undefined,
  });
  return "shown" in parsed ? parsed : {};
};

const commandsIn = (paths: readonly string[]): { path: string; words: string[] }[] =>
  paths.flatMap((path) => commandsOf(path).map((words) => ({ path, words })));
const commands = commandsIn(FILES);

describe("the documentation", () => {
  it.each(commandsIn(PAGES))("calls a function with flags it has: $path $words", ({ words }) => {
    expect([true, undefined]).toContain(parse(words).requested);
  });
});

describe("the ready CI files", () => {
  it.each(commands)("call a function with flags it has: $path $words", ({ words }) => {
    expect(parse(words).requested).toBeUndefined();
    for (const [index, word] of words.entries())
      if (word === "--catalog")
        expect(read(words[index + 1]?.replace(/^.*inputs.*$/, "catalogs/tgo-2026.json") ?? "")).toContain(
          "services",
        );
  });

  it("would not pass with a flag that was renamed", () => {
    expect(commands.length).toBeGreaterThan(6);
    const [{ words } = { words: [] }] = commands.filter(({ path }) => path === "ci/github/release.yml");
    expect(() => parse(words.map((word) => word.replace("--git-tag", "--gittag")))).toThrow("--gittag");
  });

  it.each(WORKFLOWS)("%s names its permissions, and every action by commit and version", (path) => {
    const text = read(path);
    expect(text).toMatch(/^permissions:\n {2}\w/m);
    for (const line of text.split("\n").filter((each) => each.includes("uses:")))
      expect(line).toMatch(/uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });

  it.each(WORKFLOWS)("%s puts no expression into a shell", (path) => {
    interface Step {
      readonly run?: string;
    }
    const [document] = parseAllDocuments(read(path));
    const { jobs } = document?.toJS() as { jobs: Record<string, { steps: Step[] }> };
    for (const { run = "" } of Object.values(jobs).flatMap(({ steps }) => steps))
      expect(run).not.toContain("${{");
  });

  it("check a pull request without secrets, without pushing", () => {
    const text = read("ci/github/check.yml");
    expect(text).not.toContain("secrets.");
    expect(text).not.toContain(": write");
    expect(text).not.toContain("pull_request_target");
    expect(commandsOf("ci/github/check.yml").map(([name]) => name)).toEqual(["smoke"]);
  });

  it("hand on the digests that the release writes as its step's output", () => {
    const [document] = parseAllDocuments(read("ci/github/release.yml"));
    interface Job {
      readonly outputs: Record<string, string>;
      readonly steps: { readonly id?: string; readonly run?: string }[];
    }
    const { release } = (document?.toJS() as { jobs: Record<string, Job> }).jobs;
    expect(release?.outputs.digests).toBe("${{ steps.release.outputs.digests }}");
    expect(release?.steps.find(({ id }) => id === "release")?.run).toContain("tgo release");
  });

  it("are scripts that a shell can read", () => {
    for (const path of FILES.filter((name) => name.endsWith(".sh")))
      expect(spawnSync("bash", ["-n"], { input: read(path), encoding: "utf8" })).toMatchObject({
        status: 0,
        stderr: "",
      });
  });
});
