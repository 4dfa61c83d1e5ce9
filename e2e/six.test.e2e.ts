import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Report, ServiceReport } from "@tgo/report";
import { dockerConfig, startRegistry } from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  ENGINES,
  execute,
  hasEngine,
  reportOf,
  ROOT,
  SAMPLES,
  type Harness,
} from "./harness.js";

const PYTHON = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag"];
const PAGES = ["tgo-web", "tgo-widget-app"];
const SIX = [...PYTHON, ...PAGES];

/** Services defined by this catalog file alone, with minimal definitions. */
const SEVENTH = {
  "weather-bot": {
    title: "Weather bot",
    build: { strategy: "python" },
    image: {
      command: ["python", "main.py"],
      healthcheck: {
        command: ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8321/up')"],
      },
    },
  },
  leaflet: { title: "Leaflet", build: { strategy: "static-web" } },
};

/** Every variant passed the ELF check and ran on its own platform. */
function expectSmokeTested({ state, variants }: ServiceReport): void {
  expect(state).toBe("smoke ok");
  expect(variants.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
  expect(variants.map(({ smoke }) => [smoke?.ok, smoke?.machine])).toEqual([
    [true, "x86_64"],
    [true, "aarch64"],
  ]);
  for (const { elf } of variants) {
    expect(elf?.foreign).toEqual([]);
    expect(elf?.elf).toBeGreaterThan(100);
    expect(elf?.files).toBeGreaterThan(elf?.elf ?? Infinity);
  }
}

const withoutHow = (line: string): string =>
  line.replace(/ \[(?:native|emulated)(?:, one interpreter)?\]$/, "");

const linesOf = ({ variants }: ServiceReport): string[][] =>
  variants.map(({ smoke }) => [...(smoke?.lines ?? [])]);

describe.each(ENGINES)("six services on the %s engine", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    let harness: Harness;
    let report: Report;

    /** Peak memory of the command's process in megabytes. */
    async function peakOf(run: (env: Record<string, string>) => Promise<unknown>): Promise<number> {
      const file = join(harness.folder, "peak");
      const program = join(harness.folder, "peak.mjs");
      const write = `writeFileSync(${JSON.stringify(file)}, String(process.resourceUsage().maxRSS))`;
      await writeFile(
        program,
        `import { writeFileSync } from "node:fs";
         if (process.argv[1]?.endsWith("tgo.js")) process.on("exit", () => ${write});\n`,
      );
      await run({ NODE_OPTIONS: `--import=${program}` });
      return (Number(await readFile(file, "utf8")) * 1024) / 1_000_000;
    }

    beforeAll(async () => {
      harness = await createHarness(engine);
      report = reportOf(
        await harness.run(["smoke", "--service", SIX.join(), "--source", SAMPLES, "--format", "json"]),
      );
    });
    afterAll(() => harness.close());

    const service = (name: string): ServiceReport => {
      const found = report.services.find((each) => each.service === name);
      if (found === undefined) throw new Error(`no report for ${name}`);
      expect(found.problems).toEqual([]);
      return found;
    };

    it.each(PYTHON)("%s imports every package and serves /health, on both platforms", (name) => {
      const tested = service(name);
      expectSmokeTested(tested);
      for (const lines of linesOf(tested)) {
        const done = lines.map(withoutHow);
        expect(done).toContainEqual(
          expect.stringMatching(/^imports: \d{2,} modules of \d{2,} packages ok\b[^[]*$/),
        );
        expect(done).toContainEqual(expect.stringMatching(/^GET :\d+\/health 200$/));
      }
    });

    it.each(PAGES)("%s has a valid nginx configuration and serves /, on both platforms", (name) => {
      const tested = service(name);
      expectSmokeTested(tested);
      for (const lines of linesOf(tested)) {
        expect(lines.slice(0, 2).map(withoutHow)).toEqual(["nginx -t: exit 0", "GET :80/ 200"]);
      }
    });

    // One of each builder; the benchmark measures the memory of all six.
    it.each(["tgo-api", "tgo-web"])(
      "build writes %s as an arm64 image, using less than 200 MB of memory",
      async (name) => {
        const file = join(harness.folder, `${name}.tar`);
        const build = ["build", "--service", name, "--platform", "linux/arm64", "--source", SAMPLES];
        const peak = await peakOf(async (env) => {
          const { code, stderr } = await harness.run([...build, "--output", file], { env });
          expect(stderr).not.toContain("failed");
          expect(code).toBe(0);
        });
        expect(peak).toBeGreaterThan(30);
        expect(peak).toBeLessThan(200);
        const { stdout } = await execute("skopeo", ["inspect", "--config", "--raw", `oci-archive:${file}`]);
        expect(JSON.parse(stdout)).toMatchObject({ os: "linux", architecture: "arm64" });
        await rm(file);
      },
    );

    it("builds and runs a seventh and an eighth service added by a catalog file alone", async () => {
      const catalog = await harness.catalog("seventh.json", { services: SEVENTH });
      const args = ["--service", Object.keys(SEVENTH).join(), "--source", join(ROOT, "e2e/fixtures/seventh")];
      const outcome = await harness.run(["smoke", "--catalog", catalog, ...args, "--format", "json"]);
      const [bot, leaflet] = reportOf(outcome).services;
      if (bot === undefined || leaflet === undefined) throw new Error("expected two services");
      [bot, leaflet].forEach(expectSmokeTested);
      const [native, foreign] = linesOf(bot);
      expect(native).toEqual(["imports: 2 modules of 2 packages ok [native]", "GET :8321/up 200 [native]"]);
      expect(foreign?.[0]).toMatch(/^imports: .* ok \[emulated\]$/);
      expect(foreign?.at(-1)).toBe("GET :8321/up 200 [emulated, one interpreter]");
      expect(linesOf(leaflet)[1]).toEqual(["nginx -t: exit 0 [emulated]", "GET :80/ 200 [emulated]"]);
    });
  });
});

describe.skipIf(!hasEngine("dagger"))("six services at once on Dagger's engine", () => {
  it("publishes to a registry that closes idle connections after 5 s: no upload waits for a dead one", async () => {
    const harness = await createHarness("dagger");
    const registry = await startRegistry({ auth: "bearer", idleTimeoutMs: 5000 });
    try {
      const host = { host: registry.host, repository: "tgoai/{service}", public: false };
      const catalog = await harness.catalog("idle.json", {
        registries: { ghcr: null, dockerhub: null, acr: null, idle: host },
      });
      const config = join(harness.folder, "idle-config.json");
      await writeFile(config, dockerConfig([registry]), { mode: 0o600 });
      const args = ["publish", "--catalog", catalog, "--docker-config", `file:${config}`];
      const outcome = await harness.run([
        ...[...args, "--service", SIX.join(), "--source", SAMPLES, "--format", "json"],
      ]);
      const { ok, services } = reportOf(outcome);
      expect(services.flatMap(({ problems, registries }) => [problems, registries[0]?.problems])).toEqual(
        Array(12).fill([]),
      );
      expect(ok).toBe(true);
    } finally {
      await registry.stop();
      await harness.close();
    }
  });
});
