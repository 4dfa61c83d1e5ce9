import { generateKeyPairSync } from "node:crypto";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGitServer } from "./git-server.js";
import { createHarness, ENGINES, execute, hasEngine, ROOT, type Harness, type Outcome } from "./harness.js";

const OURS = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];

describe.each(ENGINES)("an image that the %s engine built", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    /** Dagger's engine reads commits; the local engine has no git, and gets a checkout. */
    const readsGit = engine === "dagger";
    let harness: Harness;
    let server: Awaited<ReturnType<typeof startGitServer>> | undefined;
    let checkout: string;
    let reference: string;
    let env: Record<string, string>;

    const git = async (...args: string[]): Promise<string> => {
      const identity = ["-c", "user.name=n", "-c", "user.email=e@e"];
      const { code, stdout, stderr } = await execute("git", ["-C", checkout, ...identity, ...args]);
      if (code !== 0) throw new Error(stderr);
      return stdout.trim();
    };
    const source = (): string[] => (readsGit ? [] : ["--source", checkout]);
    /** In no checkout, which would be the source. */
    const tgo = (...args: string[]): Promise<Outcome> => harness.tgo(args, { env, cwd: harness.folder });
    const reproduce = (...args: string[]): Promise<Outcome> => tgo("reproduce", reference, ...args);

    beforeAll(async () => {
      harness = await createHarness(engine);
      const { open } = harness.registries;
      reference = `${open.host}/tgoai/one:1.2.3`;
      checkout = join(harness.folder, "source");
      await mkdir(checkout);
      await cp(join(ROOT, "e2e/fixtures/tiny"), join(checkout, "tiny"), { recursive: true });
      await git("init", "-q", "-b", "main");
      await git("add", "-A");
      await git("commit", "-q", "-m", "m");
      if (readsGit) server = await startGitServer(harness.folder, 0);
      const key = join(harness.folder, "key.pem");
      const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
      await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
      const catalog = await harness.catalog("reproduce.json", {
        services: {
          ...Object.fromEntries(OURS.map((name) => [name, null])),
          one: {
            title: "Small",
            build: { strategy: "python" },
            image: { command: ["python", "server.py"], ports: [8123] },
            smoke: { http: [{ port: 8123, path: "/" }], timeoutSeconds: 60 },
            source: { path: "tiny", ...(server && { repository: `${server.address}/source/.git` }) },
          },
        },
        registries: {
          ...{ ghcr: null, dockerhub: null, acr: null },
          open: { host: open.host, repository: "tgoai/{service}", referrers: true },
        },
      });
      env = { TGO_CATALOG: catalog, TGO_ENGINE: engine };
      const commit = readsGit ? ["--revision", await git("rev-parse", "HEAD")] : [];
      const flags = ["--version", "1.2.3", ...source(), ...commit, "--signing-key", `file:${key}`];
      const released = await tgo("release", ...flags);
      expect(released.code, released.stdout + released.stderr).toBe(0);
    });
    afterAll(async () => {
      await server?.stop();
      await harness.close();
    });

    it("is built again from its provenance, to the same digest", async () => {
      const again = await reproduce(...source());
      expect(again.code, again.stdout + again.stderr).toBe(0);
      expect(again.stdout).toMatch(/sha256:[0-9a-f]{64}/);
    });

    it("is not built from another source", async () => {
      const file = join(checkout, "tiny/server.py");
      await writeFile(file, "print('another program')\n");
      const refused = await reproduce("--source", checkout);
      expect(refused.code).toBe(1);
      expect(refused.stdout + refused.stderr).toMatch(
        /the source of one is not the one that the image was built from/,
      );
    });
  });
});
