import { afterAll, beforeAll, describe, expect, it } from "vitest";
import surface from "../pipelines/tgo/module-api.json";
import { createHarness, execute, hasEngine, makeFolder, ROOT, type Harness } from "./harness.js";

/** The dagger command; the tests need it beside the engine. */
const CLI = process.env._EXPERIMENTAL_DAGGER_CLI_BIN;

const TINY = { title: "Tiny", build: { strategy: "dockerfile" }, smoke: { exec: [["cat", "/app/main.py"]] } };

describe.skipIf(!hasEngine("dagger") || CLI === undefined)("the module, by dagger call", () => {
  let harness: Harness;
  let catalog: string;
  let source: string;
  let connections: string[];
  let docker: string[];

  type Result = Awaited<ReturnType<typeof execute>>;
  const call = (...args: string[]): Promise<Result> =>
    execute(CLI ?? "dagger", ["--progress", "plain", "call", ...args], ROOT);
  const publish = (): string[] => ["publish", "--service", "tiny", "--source", source];

  beforeAll(async () => {
    harness = await createHarness("dagger");
    catalog = await harness.catalog("tiny.json", { services: { tiny: TINY } });
    source = await makeFolder(harness, "tiny", {
      Dockerfile: "FROM python:3.11-slim\nCOPY . /app\n",
      "main.py": "print('tiny')\n",
    });
    const { open, basic, bearer } = harness.registries;
    connections = [open, basic, bearer].flatMap(({ host }) => ["--registry-service", `tcp://${host}`]);
    docker = ["--docker-config", `file:${harness.dockerConfigFile}`];
  });
  afterAll(() => harness.close());

  it("lists every function with a whole sentence", async () => {
    const { code, stdout } = await execute(CLI ?? "dagger", ["functions"], ROOT);
    expect(code).toBe(0);
    for (const { command, description } of surface.functions) {
      expect(stdout.replaceAll(/\s+/g, " ")).toContain(`${command} ${description.split("\n")[0] ?? ""}`);
    }
  });

  it("says without connections which flags to add, in order", async () => {
    const { code, stdout, stderr } = await call("--catalog", catalog, ...docker, ...publish());
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(connections.join(" "));
  });

  it("publishes one digest to three registries, and the second time from the recorded proof", async () => {
    for (const recorded of [false, true]) {
      const json = [...publish(), "--format", "json"];
      const { code, stdout, stderr } = await call("--catalog", catalog, ...docker, ...connections, ...json);
      expect(stderr).not.toMatch(/! Error/);
      expect(code).toBe(0);
      expect(stdout).toMatch(/\}\n$/);
      const { services } = JSON.parse(stdout) as {
        services: { digest: string; registries: { digest: string }[]; variants: { smoke: object }[] }[];
      };
      const [tiny] = services;
      expect(tiny?.registries.map(({ digest }) => digest)).toEqual(Array(3).fill(tiny?.digest));
      expect(tiny?.variants).toMatchObject([{ smoke: { recorded } }, { smoke: { recorded } }]);
      for (const { password } of Object.values(harness.registries)) {
        if (password !== undefined) expect(stdout + stderr).not.toContain(password);
      }
    }
  });

  it("says how to run a failed publish again without a command that would mean something else", async () => {
    const down = [
      "--catalog",
      await harness.catalog("down.json", {
        services: { tiny: TINY },
        registries: {
          ghcr: null,
          dockerhub: null,
          acr: null,
          down: { host: "down.invalid", repository: "t/{service}" },
        },
      }),
    ];
    const { code, stdout, stderr } = await call(...down, ...docker, ...publish());
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain(
      "next: run the same command again, with the same --catalog, --source\n",
    );
  });
});
