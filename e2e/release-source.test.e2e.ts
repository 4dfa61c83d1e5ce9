import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  ENGINES,
  execute,
  hasEngine,
  reportOf,
  ROOT,
  tagsIn,
  type Harness,
  type Outcome,
} from "./harness.js";

const SERVICE = {
  title: "Tiny",
  build: { strategy: "dockerfile" },
  smoke: { exec: [["cat", "/app/server.py"]] },
};
const DOCKERFILE = "FROM python:3.11-slim\nCOPY . /app\n";

describe.each(ENGINES)("a release of a checkout on the %s engine", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    let harness: Harness;
    let catalog: string;
    let checkout: string;
    let head: string;

    const git = async (...args: string[]): Promise<string> => {
      const identity = ["-c", "user.name=n", "-c", "user.email=e@e"];
      const { code, stdout, stderr } = await execute("git", ["-C", checkout, ...identity, ...args]);
      if (code !== 0) throw new Error(stderr);
      return stdout.trim();
    };
    const commit = async (): Promise<void> => {
      await git("add", "-A");
      await git("commit", "-q", "-m", "m");
      head = await git("rev-parse", "HEAD");
    };
    const write = async (path: string, text: string): Promise<void> => {
      await mkdir(join(checkout, "repos/tiny", path, ".."), { recursive: true });
      await writeFile(join(checkout, "repos/tiny", path), text);
    };
    const tgo = (command: string, ...args: string[]): Promise<Outcome> =>
      harness.run([command, "--service", "tiny", "--format", "json", ...catalogFlag(args), ...args], {
        cwd: checkout,
      });
    const catalogFlag = (args: readonly string[]): string[] =>
      args.includes("--catalog") ? [] : ["--catalog", catalog];
    /** The names in /app of the image, and the text of its server.py. */
    const contents = async (tag: string): Promise<{ names: string[]; server: string }> => {
      const folder = join(harness.folder, `image-${tag}`);
      const image = `docker://${harness.registries.open.host}/tgoai/tiny:${tag}`;
      const copy = ["copy", "-q", "--src-tls-verify=false", "--override-arch=amd64", image, `dir:${folder}`];
      const copied = await execute("skopeo", copy);
      if (copied.code !== 0) throw new Error(copied.stderr);
      const { layers } = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as {
        layers: { digest: string }[];
      };
      const layer = join(folder, layers.at(-1)?.digest.slice("sha256:".length) ?? "");
      const list = await execute("tar", ["-tzf", layer]);
      const server = await execute("tar", ["-xzOf", layer, "app/server.py"]);
      const names = list.stdout.split("\n").filter((name) => /^app\/./.test(name));
      return { names: names.map((name) => name.slice("app/".length)).sort(), server: server.stdout };
    };

    beforeAll(async () => {
      harness = await createHarness(engine);
      const nothing = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];
      catalog = await harness.catalog("source.json", {
        services: { ...Object.fromEntries(nothing.map((name) => [name, null])), tiny: SERVICE },
      });
      checkout = join(harness.folder, "checkout");
      await mkdir(checkout);
      await git("init", "-q");
      await cp(join(ROOT, "e2e/fixtures/tiny/server.py"), join(checkout, "repos/tiny/server.py"));
      await write("Dockerfile", DOCKERFILE);
      await write(".dockerignore", "Dockerfile\n.dockerignore\n.gitignore\nnotes\n");
      await write(".gitignore", "*.env\nnotes/\n");
      await commit();
    });
    afterAll(async () => {
      await harness.close();
    });

    it("is refused for an ignored file, by preflight too, and writes nothing", async () => {
      await write("secrets.env", "PASSWORD=hunter2");
      for (const command of ["release", "preflight"]) {
        const { code, stdout } = await tgo(command, "--version", "1.2.3");
        expect(code).toBe(1);
        expect(stdout).toContain(
          `the folder differs from the commit: repos/tiny/secrets.env (not in the commit)`,
        );
        expect(stdout).toContain("list what no build needs in .dockerignore");
      }
      expect(await tagsIn(harness.registries.open, "tgoai/tiny")).toEqual([]);
    });

    it("is built from the commit, whatever the build does not see", async () => {
      await rm(join(checkout, "repos/tiny/secrets.env"));
      await write("notes/todo.txt", "mine");
      await write("node_modules/x/index.js", "");
      const text = await readFile(join(checkout, "repos/tiny/server.py"), "utf8");
      await write("server.py", text.replaceAll("\n", "\r\n"));
      const outcome = await tgo("release", "--version", "1.2.3");
      expect(outcome.stderr).not.toContain("tgo-source-");
      expect([outcome.code, reportOf(outcome).services[0]?.revision]).toEqual([0, head]);
      expect(await contents("1.2.3")).toEqual({ names: ["server.py"], server: text });
    });

    it("is refused for a changed Dockerfile, although the build ignores it", async () => {
      await write("Dockerfile", `${DOCKERFILE}RUN true\n`);
      const { code, stdout } = await tgo("release", "--version", "1.2.4");
      expect([code, stdout]).toEqual([1, expect.stringContaining("repos/tiny/Dockerfile (modified)")]);
    });

    it("is held to each guard of the catalog until its remedy is carried out", async () => {
      const guards = { annotatedTag: true, defaultBranch: true, advances: true };
      const settings = JSON.parse(await readFile(catalog, "utf8")) as object;
      const guarded = await harness.catalog("guarded.json", { ...settings, release: { guards } });
      const release = (version: string, command = "release"): Promise<Outcome> =>
        tgo(command, "--catalog", guarded, "--version", version);
      const refused = async (version: string, ...whats: readonly RegExp[]): Promise<void> => {
        const { code, stdout } = await release(version);
        expect(code).toBe(1);
        for (const what of whats) expect(stdout).toMatch(what);
        expect(await tagsIn(harness.registries.open, "tgoai/tiny")).not.toContain(version);
      };
      const origin = join(harness.folder, "origin.git");
      await git("checkout", "-q", "--", ".");
      await git("branch", "-q", "-M", "main");
      await git("init", "-q", "--bare", "-b", "main", origin);
      await git("remote", "add", "origin", origin);
      await git("push", "-q", "origin", "main");
      await git("fetch", "-q", "origin");
      await git("remote", "set-head", "origin", "--auto");

      await write("server.py", `${await readFile(join(checkout, "repos/tiny/server.py"), "utf8")}# 2\n`);
      await commit();
      await refused("2.0.1", /has no tag v2\.0\.1/, /git tag -a v2\.0\.1 -m v2\.0\.1/, /not on origin\/main/);
      expect((await release("2.0.1", "preflight")).stdout).toContain("has no tag v2.0.1");
      await git("tag", "v2.0.1");
      await refused("2.0.1", /v2\.0\.1 is not annotated/);
      await git("tag", "-a", "-f", "v2.0.1", "v2.0.1^{}", "-m", "v2.0.1");
      await refused("2.0.1", /the commit is not on origin\/main/, /Merge it/);
      await git("push", "-q", "origin", "main");
      expect((await release("2.0.1")).code).toBe(0);

      for (const version of ["2.0.0", "2.0.2", "2.1.0"]) await git("tag", "-a", `v${version}`, "-m", version);
      await refused("2.0.0", /2\.0\.0 does not advance its line: tiny in \w+ has 2\.0\.1/);
      expect((await release("2.0.2")).code).toBe(0);
      // Begun before: it may be finished.
      expect((await release("2.0.1")).code).toBe(0);

      await write("server.py", "x = 3\n");
      await commit();
      await git("push", "-q", "origin", "main");
      await refused("2.1.0", /v2\.1\.0 names another commit/, /git checkout v2\.1\.0/);
      await git("checkout", "-q", "v2.1.0");
      expect((await release("2.1.0")).code).toBe(0);
    });
  });
});
