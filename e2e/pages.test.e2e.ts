import { cp, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHarness, execute, ROOT, type Harness } from "./harness.js";

/**
 * Pages that a reader follows from top to bottom: their commands run in order, in one folder, as they stand. Only what
 * sets up the machine does nothing here, and the registries are the test's.
 */
const START = "docs/start.md";

/** Pages whose commands go on with what the start page made, in this order. */
const GUIDES = [
  "docs/guides/first-release.md",
  "docs/guides/release.md",
  "docs/guides/incident.md",
  "docs/reference/exit-codes.md",
  "docs/guides/going-back.md",
  "docs/guides/from-buildx.md",
  "docs/guides/answers.md",
  "docs/guides/offline.md",
  "docs/guides/networks.md",
  "docs/guides/sbom.md",
];

/** Commands of other programs, and of ours with a place for the reader's own value or a service that is not here. */
const NOT_RUN =
  /^(?:docker|git clone|dagger|syft|export NODE) |--scan|:TAG|candidate-KEY|mirror\.example\.com|^export TGO_MIRROR=/;

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
  // The guides' catalog has one service.
  const others = ["tgo-ai", "tgo-api", "tgo-platform", "tgo-rag", "tgo-widget-app"];
  const services = Object.fromEntries(others.map((name) => [name, null]));
  await cp(await harness.catalog("one.json", { services }), join(folder, "tgo.catalog.json"));
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

/** Builds and checks, which take long and change nothing for the next command: once is enough, whatever the folder. */
const isRepeatable = (line: string): boolean => / tgo (?:smoke|publish|preflight|verify) /.test(line);
const kindOf = (line: string): string => line.replaceAll(/ --(?:source|registry) \S+/g, "");
const ran = new Set<string>();

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

  it.each(GUIDES)("%s", async (page) => {
    const { open, basic, bearer } = harness.registries;
    const known: readonly (readonly [string, string])[] = [
      ["ghcr.io/tgoai/tgo/tgo-api", `${open.host}/tgoai/tgo-web`],
      ["registry.cn-shanghai.aliyuncs.com/tgoai/tgo-api", `${bearer.host}/tgoai/tgo-web`],
      ["registry.cn-shanghai.aliyuncs.com/me", `${open.host}/me`],
      [" tgoai/tgo-api", ` ${basic.host}/tgoai/tgo-web`],
      ["registry.example.com/tgo", `${open.host}/elsewhere`],
      ["localhost:5000/me/tgo-api", `${open.host}/tgoai/tgo-web`],
      ["localhost:5001/me/tgo-api", `${basic.host}/tgoai/tgo-web`],
      ["localhost:5000/me", `${open.host}/me`],
      ["ghcr.io/me/tgo", `${open.host}/me/tgo`],
      [" python:3.11-slim", ` ${harness.mirror}/library/python:3.11-slim`],
      ["registries.acr ", "registries.bearer "],
      ["../tgo", ".demo/tgo"],
      ["tgo-api", "tgo-web"],
      ["1.2.3", "1.1.0"],
      ["1.2.2", "1.0.0"],
    ];
    const adapt = (line: string): string =>
      known.reduce((text, [written, here]) => text.replaceAll(written, here), line);
    const lines = (await blocksOf(page))
      .flatMap((block) => block.replaceAll(/\\\n */g, "").split("\n"))
      .filter((line) => line !== "" && !NOT_RUN.test(line))
      .map(adapt)
      .filter((line) => !(isRepeatable(line) && ran.has(kindOf(line))));
    for (const line of lines) ran.add(kindOf(line));
    expect(lines.length).toBeGreaterThan(0);
    const { code, stdout, stderr } = await run(lines, {
      TGO_CATALOG: "tgo.catalog.json",
      TGO_DOCKERCONFIG: "file:.demo/docker-config.json",
    });
    expect(code, `${lines.join("\n")}\n${stderr}${stdout}`).toBe(0);
  });
});

/** Fresh repositories of the three kinds that `init` knows, and what the guide's commands make of them. */
const REPOSITORIES = {
  "a Dockerfile": {
    strategy: "dockerfile",
    files: async (at: string) => {
      await cp(join(ROOT, "e2e/fixtures/tiny/server.py"), join(at, "server.py"));
      const lines = [
        "FROM docker.io/library/python:3.11-slim",
        "COPY server.py /",
        "EXPOSE 9000",
        'CMD ["python3", "-m", "http.server", "9000"]',
        "HEALTHCHECK CMD python3 -c 'import urllib.request as r; r.urlopen(\"http://localhost:9000/server.py\")'",
      ];
      await writeFile(join(at, "Dockerfile"), `${lines.join("\n")}\n`);
    },
  },
  Poetry: {
    strategy: "python",
    files: (at: string) => cp(join(ROOT, "e2e/fixtures/tiny"), at, { recursive: true }),
  },
  Vite: {
    strategy: "static-web",
    files: async (at: string) => {
      await cp(join(ROOT, "examples/repos/tgo-widget-app"), at, { recursive: true });
      await rm(join(at, "Dockerfile"));
    },
  },
} as const;

describe("a repository of the reader's own", () => {
  it.each(Object.entries(REPOSITORIES))(
    "with %s is shipped by docs/guides/new-service.md",
    async (_, kind) => {
      const bot = join(harness.folder, "my-bot");
      await rm(bot, { recursive: true, force: true });
      await mkdir(bot);
      await kind.files(bot);
      const git = `git -C ../my-bot -c user.name=t -c user.email=t@localhost`;
      const commit = `git init -q ../my-bot && ${git} add -A && ${git} commit -qm first`;
      const blocks = (await blocksOf("docs/guides/new-service.md")).filter((block) =>
        block.includes("../my-bot"),
      );
      expect(blocks.map((block) => block.split(" ")[3])).toEqual(["init", "catalog", "publish", "verify"]);
      // The guide's registry is the reader's; here it is one of the test's.
      const own = blocks.map((block) => block.replace("ghcr.io/me", `${harness.registries.open.host}/me`));
      const { code, stdout, stderr } = await run([commit, ...own], {
        TGO_MIRROR: `docker.io=${harness.mirror}`,
      });
      expect(code, stderr + stdout).toBe(0);
      expect(stdout).toContain("tgo.catalog.jsonc has been written");
      expect(stdout).toContain(`my-bot  ${kind.strategy}`);
      expect(stdout).toContain("is valid: 1 service, 1 registry, linux/amd64 and linux/arm64");
      expect(stdout).toMatch(/^publish ok/m);
      expect(stdout).toMatch(/^verify ok/m);
    },
  );
});
