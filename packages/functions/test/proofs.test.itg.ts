import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provenanceOf } from "@tgo/attestation";
import { isIndex, Registry } from "@tgo/registry";
import type { Report, ServiceReport } from "@tgo/report";
import { startBaseMirror, startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Pipelines } from "../src/pipelines.js";
import { failedReport } from "./support/failed-report.js";
import { startSession, writeSource, type EngineSession } from "./support/session.js";

const COMMIT = { revision: "0123456789abcdef0123456789abcdef01234567", created: "2026-03-04T05:06:07Z" };
const PLATFORMS = ["linux/amd64", "linux/arm64"];

let folder: string;
let sourcePath: string;
let mirror: LocalRegistry;
let registries: readonly LocalRegistry[];
let session: EngineSession;
/** Steps that ended, in order. */
let steps: string[] = [];

/** An engine without any proof. */
const startEngine = async (name: string): Promise<EngineSession> =>
  startSession({ home: join(folder, name), onEvent: () => undefined });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-proofs-"));
  [sourcePath, mirror, registries] = await Promise.all([
    writeSource(folder, {
      Dockerfile: "FROM docker.io/library/node:20-alpine\nCOPY Dockerfile /Dockerfile\n",
    }),
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    Promise.all([startRegistry({ auth: "none" }), startRegistry({ auth: "none" })]),
  ]);
  session = await startEngine("engine");
});

afterAll(async () => {
  await session.stop();
  await Promise.all([mirror, ...registries].map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  steps = [];
});

/**
 * @param exec smoke commands of the service
 * @param more further fields of the catalog
 */
function pipelines(exec: readonly (readonly string[])[], more: object = {}): Pipelines {
  const catalog = {
    services: { tiny: { title: "Tiny", build: { strategy: "dockerfile" }, smoke: { exec } } },
    registries: Object.fromEntries(
      registries.map(({ host }, at) => [`r${at}`, { host, repository: "tgoai/{service}" }]),
    ),
    mirrors: { images: { "docker.io": mirror.host } },
    ...more,
  };
  const product = { catalog, pipeline: "test", buildHash: "test" };
  return new Pipelines(
    session.client,
    product,
    {},
    {
      local: true,
      progress: ({ kind, step, platform }) => {
        if (kind === "end") steps.push(platform === undefined ? step : `${step} ${platform}`);
      },
    },
  );
}

const source = (): object => ({ source: session.client.host().directory(sourcePath), ...COMMIT });

async function publish(exec: readonly (readonly string[])[]): Promise<ServiceReport> {
  return onlyService(JSON.parse(await pipelines(exec).publish(["tiny"], source(), "json")) as Report);
}

function onlyService({ services }: Report): ServiceReport {
  const [service] = services;
  if (service === undefined) throw new Error("no service in the report");
  return service;
}

const smokeOf = ({ variants }: ServiceReport): unknown[] =>
  variants.map(({ smoke }) => smoke && [smoke.ok, smoke.recorded]);
const testSteps = (): string[] => steps.filter((step) => /^(check|smoke) /.test(step)).sort();
const ALL_TESTS = ["check", "smoke"].flatMap((step) => PLATFORMS.map((platform) => `${step} ${platform}`));

/** Results of a smoke run, and whether an earlier run has them. */
const NOW = PLATFORMS.map(() => [true, false]);
const RECORDED = PLATFORMS.map(() => [true, true]);

/** Only under emulation is a variable of the emulator set: it is the weakest promised machine. */
const EMULATOR = `test "$QEMU_CPU $QEMU_PAGESIZE" = "$([ $(uname -m) = aarch64 ] && echo 'cortex-a72 16384' || echo ' ')"`;

const FIRST = [
  ["test", "-f", "/Dockerfile"],
  ["sh", "-c", EMULATOR],
];
const OTHER = [["test", "-x", "/bin/sh"]];

describe("Proofs in the engine's store", () => {
  let tag = "";

  it("are made by the publish that builds the candidate, and leave no trace in the index", async () => {
    const report = await publish(FIRST);
    expect([report.state, smokeOf(report)]).toEqual(["published", NOW]);
    expect(steps).toContain("build");
    expect(testSteps()).toEqual(ALL_TESTS);
    tag = report.tag ?? "";
    for (const { host } of registries) {
      const { value } = await new Registry({ host }).manifest("tgoai/tiny", tag);
      const names = Object.keys(value.annotations ?? {});
      expect(names).not.toEqual([]);
      expect(names.filter((name) => /check|smoke/.test(name))).toEqual([]);
    }
  });

  it("tell on which promised machines the image ran, and leave the emulator's variables out of it", async () => {
    const { variants } = onlyService(
      JSON.parse(await pipelines(FIRST).verify(["tiny"], { tag, elf: false }, "json")) as Report,
    );
    expect(
      variants.map(({ machines = [] }) => machines.map(({ name, state }) => `${name}: ${state}`)),
    ).toEqual([
      [expect.stringMatching(/^x86-64-v2 PCs and servers: (ok|not proven)$/)],
      ["Raspberry Pi 4: ok", "Raspberry Pi 5 (16 KiB pages): ok", "AWS Graviton2: ok", "Apple silicon: ok"],
    ]);
    const registry = new Registry({ host: registries[0]?.host ?? "" });
    for (const { digest = "" } of variants) {
      const { value } = await registry.manifest("tgoai/tiny", digest);
      if (isIndex(value)) throw new Error("an index, not a manifest");
      const config = await new Response(await registry.blob("tgoai/tiny", value.config)).text();
      expect(config).toContain('"Env"');
      expect(config).not.toContain("QEMU");
    }
  });

  it("are used by a second publish, which builds and tests nothing", async () => {
    const report = await publish(FIRST);
    expect([report.state, report.tag]).toEqual(["already there", tag]);
    expect(smokeOf(report)).toEqual(RECORDED);
    expect(report.variants.map(({ smoke }) => smoke?.machine)).toEqual(["x86_64", "aarch64"]);
    expect(steps).not.toContain("build");
    expect(testSteps()).toEqual([]);
  });

  it("are shown by verify", async () => {
    const text = await pipelines(FIRST).verify(["tiny"], { tag, elf: false }, "json");
    const report = onlyService(JSON.parse(text) as Report);
    expect([report.state, smokeOf(report)]).toEqual(["verified", RECORDED]);
    expect(testSteps()).toEqual([]);
  });

  it("are missing on another engine, which pulls the candidate and tests it once", async () => {
    await session.stop();
    session = await startEngine("other-engine");
    const report = await publish(FIRST);
    expect([report.state, report.tag]).toEqual(["already there", tag]);
    expect(steps).not.toContain("build");
    expect(smokeOf(report)).toEqual(NOW);
    expect(testSteps()).toEqual(ALL_TESTS);
    steps = [];
    expect(smokeOf(await publish(FIRST))).toEqual(RECORDED);
    expect(testSteps()).toEqual([]);
  });

  it("count only for the same smoke test: another one runs again, for the same candidate", async () => {
    const report = await publish(OTHER);
    expect([report.state, report.tag]).toEqual(["already there", tag]);
    expect(steps).not.toContain("build");
    expect(testSteps()).toEqual(ALL_TESTS);
  });

  it("do not cover a smoke test that fails, although the registries have the candidate", async () => {
    const run = pipelines([["false"]]).publish(["tiny"], source(), "json");
    const report = onlyService(await failedReport(run));
    expect([report.state, report.problems.map(({ code }) => code)]).toEqual(["failed", ["SMOKE"]]);
    expect(steps).not.toContain("build");
  });
});

describe("Reproducing an image from its provenance", () => {
  it("builds it on another engine with the same digest, and refuses another source", async () => {
    const { tag = "", digest } = await publish(OTHER);
    const [registry] = registries;
    if (registry === undefined) throw new Error("no registry");
    await session.stop();
    session = await startEngine("third-engine");
    steps = [];
    const reproduce = (hash: string): Promise<string> => {
      const predicate = provenanceOf(
        {
          service: "tiny",
          definition: { title: "Tiny", build: { strategy: "dockerfile" } },
          platforms: PLATFORMS,
          source: {
            ...COMMIT,
            repository: "https://github.com/tgoai/tgo",
            path: "repos/tiny",
            hash,
            locks: {},
          },
          bases: {},
          values: {},
          version: undefined,
          buildHash: "test",
          key: tag.slice("candidate-".length),
        },
        "https://example.com/builder",
      );
      const provenance = session.client.directory().withNewFile("p.json", JSON.stringify(predicate));
      const flags = {
        provenance: provenance.file("p.json"),
        source: session.client.host().directory(sourcePath),
      };
      return pipelines([]).reproduce(`${registry.host}/tgoai/tiny:${tag}`, flags, "json");
    };

    await expect(reproduce("0".repeat(64))).rejects.toMatchObject({ code: "SOURCE" });
    expect(steps).not.toContain("build");
    const { comparison } = JSON.parse(await reproduce("")) as { comparison: object };
    expect(steps).toContain("build");
    expect(comparison).toMatchObject({ same: true, published: digest, rebuilt: digest });
  });
});

describe("A program with an instruction that a promised machine lacks", () => {
  /** Executable files of one segment, without a library: exit(0), on arm64 after one LSE instruction (ldadd). */
  const programs = {
    amd64: { machine: 62, code: "31ffb83c0000000f05" },
    arm64: { machine: 183, code: "210080d2e20321f8000080d2a80b80d2010000d4" },
  };
  let path: string;

  beforeAll(async () => {
    path = await writeSource(folder, {
      Dockerfile: "FROM docker.io/library/node:20-alpine\nARG TARGETARCH\nCOPY app-$TARGETARCH /app\n",
    });
    for (const [name, { machine, code }] of Object.entries(programs))
      await writeFile(join(path, `app-${name}`), staticProgram(machine, Buffer.from(code, "hex")), {
        mode: 0o755,
      });
  });

  const smoke = (more: object): Promise<string> =>
    pipelines([["/app"]], more).smoke(["tiny"], { source: session.client.host().directory(path) }, "json");

  it("fails the smoke run, which names the machine, the program and the remedy", async () => {
    const { problems } = onlyService(await failedReport(smoke({})));
    expect(problems).toEqual([
      {
        code: "SMOKE",
        what: expect.stringMatching(
          /^does not run on Raspberry Pi 4: it uses instructions that Armv8\.0 lacks\. \/app failed/,
        ) as string,
        where: "tiny linux/arm64",
        remedy: expect.stringContaining("-march=armv8-a") as string,
      },
    ]);
  });

  it("passes where no such machine is promised", async () => {
    const machines = { "linux/arm64": [{ name: "Ampere Altra", processor: "neoverse-n1" }] };
    const { variants } = onlyService(JSON.parse(await smoke({ machines })) as Report);
    expect(variants[1]?.machines).toEqual([{ name: "Ampere Altra", state: "ok" }]);
  });
});

/** An ELF file for Linux: one PT_LOAD, at 0x400000, with the code after the headers. */
function staticProgram(machine: number, code: Buffer): Buffer {
  const header = Buffer.alloc(120);
  header.write("7f454c46020101", "hex");
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(0x400078, 24);
  header.writeUInt32LE(64, 32);
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56);
  header.writeUInt32LE(1, 64);
  header.writeUInt32LE(5, 68);
  for (const at of [80, 88]) header.writeUInt32LE(0x400000, at);
  for (const at of [96, 104]) header.writeUInt32LE(header.length + code.length, at);
  header.writeUInt32LE(0x10000, 112);
  return Buffer.concat([header, code]);
}
