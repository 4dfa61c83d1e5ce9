import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHarness, execute, ROOT, type Harness } from "./harness.js";

/**
 * Pages that a reader follows from top to bottom: their commands run in order, in one folder, as they stand. Only what
 * sets up the machine does nothing here, and the registries are the test's.
 */
const START = "docs/start.md";

/** The commands of a page, a block each. */
async function blocksOf(page: string): Promise<string[]> {
  const text = await readFile(join(ROOT, page), "utf8");
  return [...text.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = ""]) => block);
}

let harness: Harness;
let folder: string;

beforeAll(async () => {
  harness = await createHarness("local");
  folder = join(harness.folder, "tgo-pipelines");
  await mkdir(join(folder, ".demo"), { recursive: true });
  await mkdir(join(harness.folder, "bin"));
  await symlink(join(ROOT, "examples"), join(folder, "examples"));
  await cp(harness.catalogFile, join(folder, ".demo/tgo.catalog.json"));
  await cp(harness.dockerConfigFile, join(folder, ".demo/docker-config.json"));
  const tgo = `exec "${process.execPath}" "${ROOT}/apps/tgo/bin/tgo.js" "$@"`;
  await program("npx", `[ "$1 $2" = "--no-install tgo" ] || exit 99\nshift 2\n${tgo}`);
  await program(
    "npm",
    `case "$*" in ci | "run demo -- --keep" | "run demo -- --stop") ;; *) exit 99 ;; esac`,
  );
});
afterAll(() => harness.close());

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(harness.folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

/** Runs blocks as one script, as a reader pastes them into one shell. */
function run(
  blocks: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ReturnType<typeof execute> {
  const exports = Object.entries({
    PATH: `${harness.folder}/bin:${process.env.PATH ?? ""}`,
    NO_COLOR: "1",
    GITHUB_STEP_SUMMARY: "",
    ...env,
  }).map(([name, value]) => `export ${name}='${value}'`);
  const script = ["set -e", "unset _EXPERIMENTAL_DAGGER_RUNNER_HOST", ...exports, ...blocks].join("\n");
  return execute("bash", ["-c", script], folder);
}

describe("a reader's first ten minutes", () => {
  it("docs/start.md publishes, releases and goes back", async () => {
    const { code, stdout, stderr } = await run(await blocksOf(START));
    expect(stderr).not.toContain("problem");
    expect(code, stderr + stdout).toBe(0);
    expect(
      stdout.match(/^(?:publish|verify|release|promote) .*$/gm)?.map((line) => line.split(" ·")[0]),
    ).toEqual(["publish ok", "verify ok", "release 1.0.0 ok", "release 1.1.0 ok", "promote 1.0.0 ok"]);
    expect(stdout).toContain("latest is 1.0.0, the newest is 1.1.0");
  });
});
