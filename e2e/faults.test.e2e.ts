import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decoyServer, htmlServer, startFaultProxy } from "@tgo/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  ENGINES,
  execute,
  hasEngine,
  makeFolder,
  reportOf,
  ROOT,
  tagsIn,
  type Harness,
} from "./harness.js";

/** A service small enough to build in seconds: Python with one pure package. */
const TINY = {
  title: "Tiny",
  build: { strategy: "python" },
  image: { command: ["python", "server.py"], ports: [8123] },
  smoke: { exec: [["python", "-c", "import six"]], http: [{ port: 8123, path: "/" }], timeoutSeconds: 60 },
};

describe.each(ENGINES)("faults on the %s engine", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    let harness: Harness;
    let source: string;
    let catalog: string;

    const publish = (...more: string[]): string[] => [
      "publish",
      "--service",
      "tiny",
      "--catalog",
      catalog,
      "--source",
      source,
      ...more,
    ];
    const tagged = async (): Promise<string[]> =>
      (await Promise.all(Object.values(harness.registries).map((registry) => tagsIn(registry, "tgoai/tiny"))))
        .flat()
        .filter((tag) => !tag.startsWith("staging-"));

    beforeAll(async () => {
      harness = await createHarness(engine);
      catalog = await harness.catalog("tiny.json", { services: { tiny: TINY } });
      source = join(ROOT, "e2e/fixtures/tiny");
    });
    afterAll(() => harness.close());
    afterEach(() => {
      for (const { password } of Object.values(harness.registries)) {
        if (password !== undefined) expect(harness.printed()).not.toContain(password);
      }
    });

    const inputs: [string, () => string[] | Promise<string[]>, number, RegExp[]][] = [
      ["an unknown service", () => ["publish", "--service", "tgo-apii"], 2, [/tgo-api\b/, /did you mean/]],
      ["no service", () => ["publish"], 2, [/--service/]],
      [
        "an unknown platform",
        () => [...publish(), "--platform", "linux/sparc"],
        2,
        [/linux\/sparc/, /linux\/arm64/],
      ],
      ["an unknown format", () => [...publish(), "--format", "yaml"], 2, [/yaml/, /json/]],
      ["an unknown flag", () => [...publish(), "--sorce", "x"], 2, [/--sorce/, /--source/]],
      ["an unknown command", () => ["publsh"], 2, [/publsh/, /publish/]],
      [
        "a missing source",
        () => ["publish", "--service", "tiny", "--catalog", catalog, "--source", "/nowhere"],
        2,
        [/\/nowhere/],
      ],
      [
        "an empty source",
        async () => [
          "publish",
          "--service",
          "tiny",
          "--catalog",
          catalog,
          "--source",
          await makeFolder(harness, "empty", { "x/.keep": "" }),
        ],
        1,
        [/pyproject\.toml/, /--source/],
      ],
      [
        "a source without a lock",
        async () => [
          "publish",
          "--service",
          "tiny",
          "--catalog",
          catalog,
          "--source",
          await variant("unlocked", { "poetry.lock": undefined }),
        ],
        1,
        [/poetry\.lock/, /poetry lock/],
      ],
      [
        "a stale lock",
        async () => [
          "publish",
          "--service",
          "tiny",
          "--catalog",
          catalog,
          "--source",
          await variant("stale", {
            "pyproject.toml": (await readFile(join(source, "pyproject.toml"), "utf8")).replace(
              "1.17.0",
              "1.16.0",
            ),
          }),
        ],
        1,
        [/poetry lock/],
      ],
      [
        "a source without a Dockerfile",
        async () => [
          "publish",
          "--service",
          "own",
          "--catalog",
          await harness.catalog("own.json", {
            services: { own: { title: "Own", build: { strategy: "dockerfile" } } },
          }),
          "--source",
          source,
        ],
        1,
        [/Dockerfile/],
      ],
      [
        "a catalog that is not JSON",
        async () => [...publish(), "--catalog", await malformed()],
        1,
        [/broken\.json/, /line 2/],
      ],
      [
        "a catalog with several errors",
        async () => [
          ...publish(),
          "--catalog",
          await harness.catalog("bad.json", {
            platforms: ["linux/vax"],
            services: { tiny: { ...TINY, title: 3 } },
          }),
        ],
        1,
        [/2 problems/, /platforms\.0/, /services\.tiny\.title/],
      ],
      [
        "an invalid registry",
        () => [...publish(), "--registry", "nonsense"],
        2,
        [/nonsense/, /host\[:port\]\/path/],
      ],
      [
        "an unreachable registry",
        () => [...publish(), "--registry", "localhost:9/x"],
        1,
        [/localhost:9/, /connection refused|cannot reach|ECONNREFUSED/i],
      ],
      ["a build value no service declares", () => [...publish(), "--value", "X=1"], 2, [/\bX\b/]],
      [
        "an invalid tag",
        () => ["verify", "--service", "tiny", "--catalog", catalog, "--tag", "not a tag"],
        2,
        [/not a tag/],
      ],
    ];

    /** A copy of the tiny service with changed files; undefined removes one. */
    async function variant(
      name: string,
      files: Readonly<Record<string, string | Buffer | undefined>>,
    ): Promise<string> {
      const folder = join(harness.folder, name);
      await cp(source, folder, { recursive: true });
      for (const [path, content] of Object.entries(files)) {
        if (content === undefined) await rm(join(folder, path));
        else await writeFile(join(folder, path), content);
      }
      return folder;
    }

    async function malformed(): Promise<string> {
      const file = join(harness.folder, "broken.json");
      await writeFile(file, '{\n  "services": {,}\n}\n');
      return file;
    }

    it.each(inputs)("rejects %s with a remedy, and writes no tag", async (_, args, code, patterns) => {
      const outcome = await harness.run(await args());
      const output = outcome.stdout + outcome.stderr;
      for (const pattern of patterns) expect(output).toMatch(pattern);
      expect(output).not.toMatch(/\n\s+at .*\(.*:\d+:\d+\)/);
      expect(outcome.code).toBe(code);
      expect(await tagged()).toEqual([]);
    });

    it("rejects a wrong password before the build", async () => {
      const file = join(harness.folder, "wrong.json");
      const auth = Buffer.from("tgo:wrong-password-here").toString("base64");
      await writeFile(
        file,
        JSON.stringify({
          auths: { [harness.registries.basic.host]: { auth }, [harness.registries.bearer.host]: { auth } },
        }),
      );
      const outcome = await harness.run([...publish(), "--docker-config", `file:${file}`]);
      const output = outcome.stdout + outcome.stderr;
      expect(outcome.code).toBe(1);
      expect(output).toContain(harness.registries.basic.host);
      expect(output).toContain(harness.registries.bearer.host);
      expect(output).toMatch(/credentials|password|unauthorized/i);
      expect(output).not.toContain("wrong-password-here");
      expect(output).not.toContain(auth);
      expect(output).not.toMatch(/ build /);
      expect(await tagged()).toEqual([]);
    });

    it("recognizes a web server that is not a registry", async () => {
      const html = await htmlServer();
      const outcome = await harness.run([...publish(), "--registry", `localhost:${html.port}/x`]);
      await html.stop();
      expect(outcome.code).toBe(1);
      expect(outcome.stdout + outcome.stderr).toMatch(/not a registry|HTML/i);
    });

    it("isolates the smoke run from servers on the host", async () => {
      const decoy = await decoyServer(8123);
      try {
        const broken = await variant("broken", {
          "server.py": "import time\nprint('not listening')\ntime.sleep(600)\n",
        });
        const file = await harness.catalog("broken-server.json", {
          services: { tiny: { ...TINY, smoke: { ...TINY.smoke, timeoutSeconds: 5 } } },
        });
        const outcome = await harness.run([
          "publish",
          "--service",
          "tiny",
          "--catalog",
          file,
          "--source",
          broken,
        ]);
        expect(outcome.code).toBe(1);
        expect(outcome.stdout + outcome.stderr).toMatch(/did not respond|did not start/);
        // Its upload began beside the run: what that leaves is named, and is no candidate.
        expect(outcome.stdout).toMatch(/test failed: staging-[0-9a-f]{16}/);
        expect(await tagged()).toEqual([]);
      } finally {
        await decoy.stop();
      }
    });

    it("reports the path of an x86-64 library in the arm64 image", async () => {
      // The shortest valid x86-64 ELF header.
      const header = Buffer.alloc(64);
      header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
      header.writeUInt16LE(3, 16);
      header.writeUInt16LE(62, 18);
      const folder = await variant("foreign", { "hidden.so.1": header });
      const outcome = await harness.run([
        "publish",
        "--service",
        "tiny",
        "--catalog",
        catalog,
        "--source",
        folder,
      ]);
      expect(outcome.code).toBe(1);
      expect(outcome.stdout + outcome.stderr).toContain("/app/hidden.so.1");
      expect(outcome.stdout + outcome.stderr).toMatch(/linux\/arm64/);
      expect(await tagged()).toEqual([]);
    });

    it("stops cleanly on Ctrl-C, and the same command finishes the publish", async () => {
      let interrupted = false;
      const first = await harness.run(publish("--progress", "plain"), {
        watch: (stderr, kill) => {
          if (interrupted || !/smoke/.test(stderr)) return;
          interrupted = true;
          kill("SIGINT");
        },
      });
      expect(interrupted).toBe(true);
      expect(first.code).toBe(130);
      expect(await tagged()).toEqual([]);
      const second = await harness.run(publish());
      expect(second.stdout + second.stderr).not.toContain("failed");
      expect(second.code).toBe(0);
      expect(await tagged()).toHaveLength(3);
    });

    it("prints the command that finishes a publish once the registry is back, and that touches nothing else", async () => {
      const { open, basic, bearer } = harness.registries;
      const proxy = await startFaultProxy(open.url);
      try {
        const services = { tiny: { ...TINY, title: "Yet another title" } };
        const at = (host: string): object => ({ host, repository: "tgoai/{service}", public: true });
        const registries = { ghcr: null, dockerhub: null, acr: null, open: at(proxy.host) };
        const file = await harness.catalog("faulty.json", {
          services,
          registries: { ...registries, basic: { host: basic.host, repository: "tgoai/{service}" } },
        });
        proxy.add({
          on: ({ method, path }) => method === "PUT" && path.includes("/manifests/candidate-"),
          fault: { kind: "answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"no"}]}' },
        });
        const tags = (): Promise<string[][]> =>
          Promise.all([open, basic, bearer].map((registry) => tagsIn(registry, "tgoai/tiny")));
        const failed = await harness.run(publish("--catalog", file, "--format", "json"));
        expect(failed.code).toBe(1);
        const before = await tags();
        proxy.clear();
        const finished = await harness.paste(reportOf(failed).next);
        expect([finished.code, finished.stderr]).toEqual([0, expect.not.stringMatching(/ build …/)]);
        const [{ tag = "" } = {}] = reportOf(finished).services;
        const added = (await tags()).map((all, at) => all.filter((each) => !before[at]?.includes(each)));
        expect(added).toEqual([[tag], [], []]);
      } finally {
        await proxy.stop();
      }
    });

    it("completes a partial publish by copying from the registries that have the image", async () => {
      const file = await harness.catalog("renamed.json", {
        services: { tiny: { ...TINY, title: "Another title" } },
      });
      const args = [
        "publish",
        "--service",
        "tiny",
        "--catalog",
        file,
        "--source",
        source,
        "--format",
        "json",
      ];
      const before = await tagged();
      const partial = await harness.catalog("two.json", {
        services: { tiny: { ...TINY, title: "Another title" } },
        registries: {
          ghcr: null,
          dockerhub: null,
          acr: null,
          open: { host: harness.registries.open.host, repository: "tgoai/{service}", public: true },
        },
      });
      expect((await harness.run([...args, "--catalog", partial])).code).toBe(0);
      const rest = await harness.run(args);
      const { services } = JSON.parse(rest.stdout) as {
        services: { registries: { registry: string; state: string }[] }[];
      };
      expect(services[0]?.registries.map(({ registry, state }) => [registry, state])).toEqual([
        ["open", "already there"],
        ["basic", "done"],
        ["bearer", "done"],
      ]);
      expect(rest.code).toBe(0);
      expect(await tagged()).toHaveLength(before.length + 3);
    });

    it("builds a service's own Dockerfile for both platforms, and reports the emulation", async () => {
      const folder = await makeFolder(harness, "own", {
        Dockerfile: [
          `FROM ${harness.mirror}/library/python:3.11-slim`,
          "ARG BUILDPLATFORM",
          "ARG GREETING=none",
          "COPY server.py /app/server.py",
          'RUN echo "$BUILDPLATFORM $GREETING $(uname -m)" > /app/built',
          "WORKDIR /app",
          "",
        ].join("\n"),
        "server.py": (await readFile(join(source, "server.py"), "utf8"))
          .replace("import six\n", "")
          .replace('six.ensure_binary("ok")', 'b"ok"'),
      });
      const file = await harness.catalog("dockerfile.json", {
        services: {
          own: {
            title: "Own",
            build: { strategy: "dockerfile", args: { GREETING: "{service}" } },
            image: TINY.image,
            smoke: {
              ...TINY.smoke,
              exec: [["sh", "-c", 'grep -q "^linux/[a-z0-9]* own $(uname -m)$" /app/built']],
            },
          },
        },
      });
      const outcome = await harness.run([
        "smoke",
        "--service",
        "own",
        "--catalog",
        file,
        "--source",
        folder,
        "--format",
        "json",
      ]);
      expect(outcome.stderr).not.toContain("failed");
      expect(outcome.code).toBe(0);
      const [report] = reportOf(outcome).services;
      expect(report?.variants.map(({ smoke }) => smoke?.machine)).toEqual(["x86_64", "aarch64"]);
      expect(report?.notes.join()).toContain("under emulation");
    });

    it("fails verification if a registry has other bytes under the tag", async () => {
      const tags = (await tagsIn(harness.registries.open, "tgoai/tiny")).filter((tag) =>
        tag.startsWith("candidate-"),
      );
      const [first = "", second = ""] = tags;
      const host = harness.registries.open.host;
      await execute("skopeo", [
        "copy",
        "--all",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        `docker://${host}/tgoai/tiny:${first}`,
        `docker://${host}/tgoai/tiny:${second}`,
      ]);
      const outcome = await harness.run([
        "verify",
        "--service",
        "tiny",
        "--catalog",
        catalog,
        "--tag",
        second,
      ]);
      expect(outcome.code).toBe(1);
      expect(outcome.stdout + outcome.stderr).toMatch(/digest/);
    });
  });
});
