import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "@tgo/registry";
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

/** @param exec smoke commands of the service */
function pipelines(exec: readonly (readonly string[])[]): Pipelines {
  const catalog = {
    services: { tiny: { title: "Tiny", build: { strategy: "dockerfile" }, smoke: { exec } } },
    registries: Object.fromEntries(
      registries.map(({ host }, at) => [`r${at}`, { host, repository: "tgoai/{service}" }]),
    ),
    mirrors: { images: { "docker.io": mirror.host } },
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

const FIRST = [["test", "-f", "/Dockerfile"]];
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
