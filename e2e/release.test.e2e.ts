import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startFaultProxy, type FaultProxy, type FaultyRequest } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  ENGINES,
  execute,
  hasEngine,
  rawManifest,
  reportOf,
  ROOT,
  tagsIn,
  type Harness,
} from "./harness.js";

const COMMIT = [
  "--revision",
  "0123456789abcdef0123456789abcdef01234567",
  "--created",
  "2026-03-04T05:06:07Z",
];

/** Two services small enough to release many times. */
const service = (port: number): object => ({
  title: "Small",
  build: { strategy: "python" },
  image: { command: ["python", "server.py"], ports: [8123] },
  smoke: { http: [{ port, path: "/" }], timeoutSeconds: 60 },
  source: { path: "tiny" },
});
const SERVICES = ["one", "two"];

describe.each(ENGINES)("releases on the %s engine", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    let harness: Harness;
    let proxy: FaultProxy;
    let catalog: string;

    beforeAll(async () => {
      harness = await createHarness(engine);
      const { open, basic, bearer } = harness.registries;
      proxy = await startFaultProxy(basic.url);
      catalog = await harness.catalog("release.json", {
        services: {
          ...Object.fromEntries(
            ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"].map((name) => [
              name,
              null,
            ]),
          ),
          one: service(8123),
          two: service(8123),
        },
        registries: {
          ghcr: null,
          dockerhub: null,
          acr: null,
          open: { host: open.host, repository: "tgoai/{service}", referrers: true },
          faulty: { host: proxy.host, repository: "tgoai/{service}" },
          bearer: { host: bearer.host, repository: "tgoai/{service}" },
        },
      });
    });
    afterAll(async () => {
      await proxy.stop();
      await harness.close();
    });

    const args = (version: string, ...more: string[]): string[] => [
      ...["release", "--version", version, "--catalog", catalog, "--source", join(ROOT, "e2e/fixtures")],
      ...["--docker-config", `file:${dockerConfigWithProxy}`, "--format", "json", ...COMMIT, ...more],
    ];
    let dockerConfigWithProxy = "";
    beforeAll(async () => {
      const config = JSON.parse(await readFile(harness.dockerConfigFile, "utf8")) as {
        auths: Record<string, object>;
      };
      config.auths[proxy.host] = config.auths[harness.registries.basic.host] ?? {};
      dockerConfigWithProxy = join(harness.folder, "docker-config-proxy.json");
      await writeFile(dockerConfigWithProxy, JSON.stringify(config), { mode: 0o600 });
    });

    const versionTags = async (): Promise<string[]> => {
      const { open, basic, bearer } = harness.registries;
      const tags = await Promise.all(
        [open, basic, bearer].flatMap((registry) =>
          SERVICES.map((name) => tagsIn(registry, `tgoai/${name}`)),
        ),
      );
      return tags.flat().filter((tag) => !/^(candidate|staging)-/.test(tag));
    };
    /** The bytes under a tag, for every service in every registry. */
    const everywhere = async (tag: string): Promise<string[]> => {
      const { open, basic, bearer } = harness.registries;
      const found = await Promise.all(
        SERVICES.flatMap((name) =>
          [open, basic, bearer].map((registry) => rawManifest(registry, `tgoai/${name}:${tag}`)),
        ),
      );
      return found.map((bytes) => bytes.toString());
    };

    it("move no tag if a registry fails half way, name it, and are finished by the command that is printed", async () => {
      proxy.add({
        on: ({ method, path }) => method === "PUT" && path.includes("/tgoai/two/manifests/candidate-"),
        fault: { kind: "answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' },
      });
      const files = ["report.html", "report.md", "report.json"].map((name) => join(harness.folder, name));
      const failed = await harness.tgo(args("1.2.3", "--report", files.join(",")));
      expect(failed.code).toBe(1);
      const report = reportOf(failed);
      expect(report.gate).toMatchObject({ open: false, reasons: [expect.stringContaining("two in faulty")] });
      const [page, markdown, json] = await Promise.all(files.map((file) => readFile(file, "utf8")));
      expect(page).toMatch(/^<!doctype html>[^]*Gate closed[^]*two in faulty/);
      expect(markdown).toMatch(/^## `release 1\.2\.3` ❌ failed[^]*two in faulty/);
      expect(JSON.parse(json ?? "")).toEqual(JSON.parse(failed.stdout));
      expect(await versionTags()).toEqual([]);

      proxy.clear();
      const repaired = await harness.paste(report.next);
      expect([repaired.code, repaired.stderr]).toEqual([0, expect.not.stringMatching(/ build …/)]);
      const { services, record } = reportOf(repaired);
      expect(services.map(({ state }) => state)).toEqual(["released", "released"]);
      expect(services.map(({ registries }) => registries.map((row) => row.record))).toEqual([
        ["done", undefined, undefined],
        ["done", undefined, undefined],
      ]);
      expect(record).toMatchObject({
        version: "1.2.3",
        kind: "release",
        tags: ["1.2.3", "1.2", "1", "latest"],
        services: { one: { digest: services[0]?.digest, revision: COMMIT[1] }, two: {} },
      });
      // Besides the records of the registry that takes them.
      const written = (await versionTags()).filter((tag) => !tag.startsWith("sha256-"));
      expect(new Set(written)).toEqual(new Set(["1.2.3", "1.2", "1", "latest"]));
      const [first, ...others] = (await everywhere("latest")).slice(0, 3);
      expect(others).toEqual([first, first]);
      expect(await everywhere("1.2.3")).toEqual(await everywhere("latest"));
      console.log(
        `release: failed after ${Math.round(failed.durationMs)} ms, the same command finished it in ${Math.round(repaired.durationMs)} ms`,
      );
    });

    it.each(["1.2.4-rc.1", "1.1.9"])("of %s keep latest on 1.2.3", async (version) => {
      const before = await everywhere("latest");
      expect((await harness.tgo(args(version))).code).toBe(0);
      expect(await everywhere("latest")).toEqual(before);
      expect(await everywhere(version)).not.toEqual(before);
    });

    it("reject a different image as 1.2.3", async () => {
      const before = await everywhere("1.2.3");
      const other = ["--revision", "fedcba9876543210fedcba9876543210fedcba98"];
      const refused = await harness.tgo(args("1.2.3", ...other));
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain("1.2.3 already exists with other content");
      expect(await everywhere("1.2.3")).toEqual(before);
    });

    it("name a registry in which 1.2.3 is another image, with what to do", async () => {
      const { open, bearer } = harness.registries;
      const overwrite = (from: string): Promise<{ code: number }> =>
        execute("skopeo", [
          ...["copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"],
          ...["--dest-creds", `${bearer.username ?? ""}:${bearer.password ?? ""}`],
          ...[`docker://${open.host}/tgoai/one:${from}`, `docker://${bearer.host}/tgoai/one:1.2.3`],
        ]);
      expect(await overwrite("1.1.9")).toMatchObject({ code: 0 });
      const refused = await harness.tgo(args("1.2.3"));
      expect(refused.code).toBe(1);
      const [one] = reportOf(refused).services;
      expect(one?.registries.map(({ registry, problems }) => [registry, problems])).toEqual([
        ["open", []],
        ["faulty", []],
        [
          "bearer",
          [
            {
              code: "CONFLICT",
              what: expect.stringContaining("1.2.3 already exists with other content") as string,
              where: `${bearer.host}/tgoai/one:1.2.3`,
              remedy: expect.stringContaining("Release this content as the next version") as string,
            },
          ],
        ],
      ]);
      expect(await overwrite("1.2.3")).toMatchObject({ code: 0 });
      expect((await harness.tgo(args("1.2.3"))).code).toBe(0);
    });

    /** Resolves at the n-th request of this kind to the registry behind the proxy. */
    const request = (n: number, kind: (request: FaultyRequest) => boolean): Promise<string> =>
      new Promise((resolve) => {
        let seen = 0;
        const on = (asked: FaultyRequest): boolean => {
          if (kind(asked) && ++seen === n)
            resolve(`${asked.method} ${asked.path.replace(/^\/v2\/|sha256:\w+|\?.*$/g, "")}`);
          return false;
        };
        proxy.add({ on, fault: { kind: "refuse" } });
      });
    const random = (below: number): number => Math.floor(Math.random() * below);

    it("are completed by the same command after kill -9 at ten random points", async () => {
      const points: string[] = [];
      let patch = 0;
      const version = (): string => `1.3.${patch}`;
      for (let run = 0; points.length < 10; run += 1) {
        if (run === 60) throw new Error(`only ${points.length} of 60 runs were killed before they finished`);
        proxy.clear();
        const command = [join(ROOT, "apps/tgo/bin/tgo.js"), "--engine", engine, ...args(version())];
        const child = spawn(process.execPath, command, { cwd: ROOT, stdio: "ignore" });
        const ended = (once(child, "exit") as Promise<[number | null]>).then(([code]) => code);
        // In turn: during the build, at any request, at a tag write.
        const milliseconds = 300 + random(1500);
        const point = [
          () => sleep(milliseconds, `${milliseconds} ms`),
          () => request(1 + random(25), () => true),
          () =>
            request(
              1 + random(10),
              ({ method, path }) => method === "PUT" && /manifests\/(?!sha256)/.test(path),
            ),
        ][points.length % 3];
        const hit = await Promise.race([point?.(), ended.then(() => undefined)]);
        child.kill("SIGKILL");
        const code = await ended;
        if (hit !== undefined) {
          points.push(`${hit} of ${version()}`);
        } else {
          // It finished first: try the next version.
          expect(code).toBe(0);
          patch += 1;
        }
      }
      proxy.clear();
      const outcome = await harness.tgo(args(version()));
      console.log(
        `release: killed at ${points.join(", ")}; finished in ${Math.round(outcome.durationMs)} ms`,
      );
      expect(outcome.code, outcome.stdout).toBe(0);
      expect(await everywhere("latest")).toEqual(await everywhere(version()));
      expect(await everywhere("1.3")).toEqual(await everywhere(version()));
    });

    it("are shown by status, and rolled back by promote", async () => {
      const where = ["--catalog", catalog, "--docker-config", `file:${dockerConfigWithProxy}`];
      const back = await harness.tgo(["promote", "--version", "1.2.3", "--allow-backwards", ...where]);
      expect(back.stdout).toMatch(/latest done \(was 1\.3\.\d+\)/);
      const lists = (await tagsIn(harness.registries.open, "tgoai/one")).filter((tag) =>
        tag.startsWith("sha256-"),
      );
      // One per released index; that of 1.2.3 contains its rollback as well.
      expect(lists.length).toBeGreaterThanOrEqual(4);
      expect(back.code).toBe(0);
      expect(await everywhere("latest")).toEqual(await everywhere("1.2.3"));
      const status = await harness.tgo(["status", ...where]);
      expect(status.code).toBe(0);
      expect(status.stdout).toMatch(/latest.*1\.2\.3.*1\.3\.\d/s);
      const pruned = await harness.tgo(["prune", "--days", "0", ...where]);
      expect(pruned.stdout).toMatch(/staging-[0-9a-f]{16} +would be removed|staging-[0-9a-f]{16} +kept/);
      expect(pruned.code).toBe(0);
    });
  });
});
