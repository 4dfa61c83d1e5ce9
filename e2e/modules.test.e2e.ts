import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGitServer } from "./git-server.js";
import { createHarness, execute, hasEngine, makeFolder, ROOT, type Harness } from "./harness.js";

const CLI = process.env._EXPERIMENTAL_DAGGER_CLI_BIN;

const TINY = { title: "Tiny", build: { strategy: "dockerfile" }, smoke: { exec: [["cat", "/app/main.py"]] } };
const OURS = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];
const PACKAGE = JSON.stringify({ private: true, type: "module", dependencies: { typescript: "5.9.3" } });

describe.skipIf(!hasEngine("dagger") || CLI === undefined)("modules that other repositories install", () => {
  let harness: Harness;
  let git: Awaited<ReturnType<typeof startGitServer>>;

  type Result = Awaited<ReturnType<typeof execute>>;
  const dagger = (folder: string, ...args: string[]): Promise<Result> =>
    execute(CLI ?? "dagger", ["--progress", "plain", ...args], folder);
  /** The output of a command that must succeed. */
  const done = async (result: Promise<Result>): Promise<string> => {
    const { code, stdout, stderr } = await result;
    if (code !== 0) throw new Error(stdout + stderr);
    return stdout;
  };
  const sh = (script: string, ...args: string[]): Promise<string> =>
    done(execute("sh", ["-euc", script, "sh", ...args]));

  /** A repository with a module in TypeScript that depends on one of ours, by `dagger install` and a git address. */
  async function consumer(name: string, address: string, source: string): Promise<string> {
    const folder = await makeFolder(harness, name, {
      "ci/src/index.ts": source,
      "ci/package.json": PACKAGE,
      "ci/tsconfig.json": await readFile(join(ROOT, "pipelines/multiarch/tsconfig.json"), "utf8"),
    });
    await sh('git init -q "$1"', folder);
    await done(dagger(folder, "init", "--name", name));
    await done(dagger(folder, "install", `${git.address}/${address}`));
    // The SDK is named afterwards: `dagger init --sdk` wants npm's registry.
    const file = join(folder, "dagger.json");
    const config = JSON.parse(await readFile(file, "utf8")) as object;
    await writeFile(file, JSON.stringify({ ...config, sdk: { source: "typescript" }, source: "ci" }));
    return folder;
  }

  beforeAll(async () => {
    harness = await createHarness("dagger");
    const served = await makeFolder(harness, "served", {});
    // The working tree as a repository: what is not committed yet is tested too.
    await sh(
      'cd "$1"; git init -q "$2"; for file in $(git ls-files -co --exclude-standard dagger.json pipelines); do if [ -e "$file" ]; then cp --parents "$file" "$2"; fi; done; ' +
        'cd "$2"; git add -A; git -c user.name=t -c user.email=t@t commit -qm test; git clone -q --bare . "$3/ours.git"',
      ROOT,
      join(harness.folder, "tree"),
      served,
    );
    git = await startGitServer(served);
  });
  afterAll(async () => {
    await git.stop();
    await harness.close();
  });

  it("multiarch: the example of its README publishes one digest to three registries, and verify agrees", async () => {
    const example = await readFile(
      join(ROOT, "pipelines/multiarch/examples/typescript/src/index.ts"),
      "utf8",
    );
    const folder = await consumer("greeting", "ours.git/pipelines/multiarch", example);
    const { open, basic, bearer } = harness.registries;
    const hosts = [open, basic, bearer].map(({ host }) => host);
    const references = hosts.map((host) => `${host}/shop/greeting:1.2.3`);
    const services = hosts.map((host) => `tcp://${host}`).join(",");
    const arguments_ = [
      "--docker-config",
      `file:${harness.dockerConfigFile}`,
      "--registry-service",
      services,
    ];
    const mirror = ["--mirror", `docker.io=${harness.mirror}`];
    const base = ["--base", `${harness.mirror}/library/python:3.11-slim`];
    const published = await done(
      dagger(folder, "call", "publish", ...base, ...arguments_, ...mirror, "--to", references.join(",")),
    );
    const lines = published.trim().split("\n");
    expect(lines.map((line) => line.split("@")[0])).toEqual(references);
    expect(new Set(lines.map((line) => line.split("@")[1])).size).toBe(1);
    const module = ["-m", `${git.address}/ours.git/pipelines/multiarch`, "call", ...arguments_];
    const text = await done(
      dagger(folder, ...module, "verify", "--elf=false", "--reference", references.join(",")),
    );
    expect(text).toMatch(/^verify ok/);
  });

  it("tgo: a chain of five calls gives a candidate as an object, and a broken image is a value", async () => {
    const page = await readFile(join(ROOT, "docs/guides/module.md"), "utf8");
    const [, source = ""] = /```ts\n(import [^]*?)```/.exec(page) ?? [];
    const folder = await consumer("shop", "ours.git", source);
    const services = Object.fromEntries(OURS.map((name) => [name, null]));
    const catalog = await harness.catalog("shop.json", { services: { ...services, tiny: TINY } });
    const tiny = await makeFolder(harness, "tiny", {
      Dockerfile: "FROM python:3.11-slim\nCOPY . /app\n",
      "main.py": "print('tiny')\n",
    });
    const { host, username = "", password = "" } = harness.registries.basic;
    const secret = join(harness.folder, "password");
    await writeFile(secret, password, { mode: 0o600 });
    const where = ["--catalog", catalog, "--host", host, "--service", `tcp://${host}`];
    const login = ["--username", username, "--password", `file:${secret}`];
    const shipped = await done(dagger(folder, "call", "ship", "--source", tiny, ...where, ...login));
    const { digest, references, machine } = JSON.parse(shipped) as Record<string, string>;
    expect(references).toEqual([`${host}/shop/tiny@${digest ?? ""}`]);
    expect(machine).toBe("aarch64\n");
    const looked = await done(dagger(folder, "call", "look", ...where, ...login));
    expect(JSON.parse(looked)).toMatchObject({ ok: false, problems: [expect.stringContaining("latest")] });
  });

  it("tgo as a toolchain: its checks and its generator read the caller's repository", async () => {
    const services = Object.fromEntries(OURS.map((name) => [name, null]));
    const catalog = await harness.catalog("checks.json", { services: { ...services, tiny: TINY } });
    const folder = await makeFolder(harness, "checked", {
      "tgo.catalog.json": await readFile(catalog, "utf8"),
      "repos/tiny/Dockerfile": "FROM python:3.11-slim\nCOPY . /app\n",
      "repos/tiny/main.py": "print('tiny')\n",
    });
    await sh('git init -q "$1"', folder);
    await done(dagger(folder, "init", "--name", "checked"));
    await done(dagger(folder, "toolchain", "install", `${git.address}/ours.git`));
    const listed = await done(dagger(folder, "check", "-l"));
    for (const name of ["check-bases", "check-published", "check-smoke", "refresh-bases"])
      expect(listed).toContain(`tgo:${name}`);
    const before = await dagger(folder, "check", "tgo:check-bases");
    expect(before.stdout + before.stderr).toContain("docker.io/library/node:20-alpine is not pinned");
    await done(dagger(folder, "generate", "-y", "tgo:refresh-bases"));
    expect(await readFile(join(folder, "tgo.bases.json"), "utf8")).toMatch(/node:20-alpine": "sha256:/);
    await done(dagger(folder, "check", "tgo:check-bases"));
    await done(dagger(folder, "check", "tgo:refresh-bases"));
    await done(dagger(folder, "check", "tgo:check-smoke"));
  });
});
