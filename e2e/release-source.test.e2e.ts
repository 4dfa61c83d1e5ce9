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
      harness.run([command, "--service", "tiny", "--catalog", catalog, "--format", "json", ...args], {
        cwd: checkout,
      });
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
  });
});
