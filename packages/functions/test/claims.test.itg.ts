import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isIndex, type ManifestOrIndex, Registry } from "@tgo/registry";
import type { Report, ServiceReport } from "@tgo/report";
import {
  AARCH64,
  elfFile,
  rewriteImage,
  startBaseMirror,
  startFaultProxy,
  startRegistry,
  type LocalRegistry,
} from "@tgo/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Pipelines } from "../src/pipelines.js";
import { failedReport } from "./support/failed-report.js";
import { startSession, writeSource, type EngineSession } from "./support/session.js";

const COMMIT = { revision: "0123456789abcdef0123456789abcdef01234567", created: "2026-03-04T05:06:07Z" };
const PLATFORMS = ["linux/amd64", "linux/arm64"];
const REPOSITORY = "tgoai/tiny";

let folder: string;
let sourcePath: string;
let mirror: LocalRegistry;
/** The engine that builds, and one that has built and tested nothing. */
let engine: EngineSession;
let other: EngineSession;
let registries: LocalRegistry[] = [];
/** Steps that ended, in order. */
let steps: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-claims-"));
  const start = (name: string): Promise<EngineSession> =>
    startSession({ home: join(folder, name), onEvent: () => undefined });
  [sourcePath, mirror] = await Promise.all([
    writeSource(folder, {
      Dockerfile: "FROM docker.io/library/node:20-alpine\nCOPY Dockerfile /Dockerfile\n",
    }),
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
  ]);
  engine = await start("engine");
  other = await start("other");
});

afterAll(async () => {
  await engine.stop();
  await other.stop();
  await Promise.all([mirror, ...registries].map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

/** Three empty registries. */
beforeEach(async () => {
  await Promise.all(registries.map((each) => each.stop()));
  registries = await Promise.all([1, 2, 3].map(() => startRegistry({ auth: "none" })));
});

interface RunOptions {
  readonly on?: EngineSession;
  /** Hosts of the registries; default all three. */
  readonly hosts?: readonly string[];
}

function pipelines({ on = engine, hosts = registries.map(({ host }) => host) }: RunOptions): Pipelines {
  steps = [];
  const exec = [["test", "-f", "/Dockerfile"]];
  const catalog = {
    services: { tiny: { title: "Tiny", build: { strategy: "dockerfile" }, smoke: { exec } } },
    registries: Object.fromEntries(
      hosts.map((host, at) => [`r${at}`, { host, repository: "tgoai/{service}" }]),
    ),
    mirrors: { images: { "docker.io": mirror.host } },
  };
  const product = { catalog, pipeline: "test", buildHash: "test" };
  const progress = ({ kind, step, platform }: { kind: string; step: string; platform?: string }): void => {
    if (kind === "end") steps.push(platform === undefined ? step : `${step} ${platform}`);
  };
  return new Pipelines(on.client, product, {}, { local: true, progress });
}

const source = ({ on = engine }: RunOptions, path = sourcePath): object => ({
  source: on.client.host().directory(path),
  ...COMMIT,
});

/** The report of a run, whether it failed or not. */
async function reportOf(run: Promise<string>): Promise<Report> {
  const text = run.then((result) => JSON.parse(result) as Report);
  return text.catch(() => failedReport(run));
}

async function publish(options: RunOptions = {}): Promise<ServiceReport> {
  const run = pipelines(options).publish(["tiny"], source(options), "json");
  return onlyService(await reportOf(run));
}

const FLAGS = { version: "1.2.3", allowBackwards: true, adoptLatest: false };

async function release(): Promise<ServiceReport> {
  return onlyService(await reportOf(pipelines({}).release(["tiny"], { ...FLAGS, ...source({}) }, "json")));
}

function promote(options: RunOptions = {}): Promise<Report> {
  return reportOf(pipelines(options).promote(["tiny"], FLAGS, "json"));
}

function onlyService({ services }: Report): ServiceReport {
  const [service] = services;
  if (service === undefined) throw new Error("no service in the report");
  return service;
}

const clientOf = (at: number): Registry => new Registry({ host: registries[at]?.host ?? "" });
const firstHost = (): string[] => registries.slice(0, 1).map(({ host }) => host);

function digests(tag: string): Promise<(string | undefined)[]> {
  return Promise.all([0, 1, 2].map(async (at) => (await clientOf(at).resolve(REPOSITORY, tag))?.digest));
}

const smokeOf = ({ variants }: ServiceReport): unknown[] =>
  variants.map(({ smoke }) => smoke && [smoke.ok, smoke.recorded]);
const tests = (): string[] => steps.filter((step) => /^(check|smoke) /.test(step)).sort();
const ALL_TESTS = ["check", "smoke"].flatMap((step) => PLATFORMS.map((platform) => `${step} ${platform}`));
const codes = ({ problems }: ServiceReport): string[] => problems.map(({ code }) => code);
/** A program for arm64 in every variant. */
const FOREIGN = { files: [{ path: "opt/tool", content: elfFile(AARCH64) }] };
const HARMLESS = { files: [{ path: "opt/note", content: "added later" }] };

describe("A candidate that was rewritten in a registry", () => {
  it("is replaced by the engine that built it, and copied nowhere", async () => {
    const first = await publish({ hosts: firstHost() });
    const tag = first.tag ?? "";
    const rewritten = await rewriteImage(clientOf(0), REPOSITORY, tag, HARMLESS);
    const only = pipelines({ hosts: firstHost() });
    const verified = onlyService(await reportOf(only.verify(["tiny"], { tag, elf: false }, "json")));
    expect(verified.notes.join()).toContain(
      `not the image that this engine built as ${tag}: ${first.digest ?? ""}`,
    );
    expect(verified.variants.map(({ elf, smoke }) => elf ?? smoke)).toEqual([undefined, undefined]);
    const report = await publish();
    expect([report.state, report.digest]).toEqual(["published", first.digest]);
    expect(await digests(tag)).toEqual(Array(3).fill(first.digest));
    expect(report.notes.filter((note) => note.includes(rewritten))).toHaveLength(1);
    // Its layers are nowhere else either.
    expect(await clientOf(1).resolve(REPOSITORY, rewritten)).toBeUndefined();
  });

  it("is checked and run again by another engine before it is copied, and reported as such", async () => {
    const { tag = "" } = await publish({ hosts: firstHost() });
    const rewritten = await rewriteImage(clientOf(0), REPOSITORY, tag, HARMLESS);
    const report = await publish({ on: other });
    expect(tests()).toEqual(ALL_TESTS);
    expect([report.digest, smokeOf(report)]).toEqual([rewritten, PLATFORMS.map(() => [true, false])]);
    expect(steps.indexOf("copy")).toBeGreaterThan(steps.lastIndexOf("smoke linux/arm64"));
    expect(report.notes.join()).toContain("without a proof of this engine");
  });

  it.each([
    ["a file for another architecture", "CHECK", FOREIGN],
    ["an environment in which it does not start", "SMOKE", { env: ["PATH=/nowhere"] }],
  ])("with %s is copied by no engine", async (_, code, rewrite) => {
    const { tag = "" } = await publish({ hosts: firstHost() });
    await rewriteImage(clientOf(0), REPOSITORY, tag, rewrite);
    const report = await publish({ on: other });
    expect([report.state, codes(report)]).toEqual(["failed", [code]]);
    expect((await digests(tag)).slice(1)).toEqual([undefined, undefined]);
  });

  it("while it is staged is not what is published", async () => {
    const { tag = "" } = await publish();
    const { bytes, descriptor } = await clientOf(0).manifest(REPOSITORY, tag);
    const proxy = await startFaultProxy(registries[0]?.url ?? "");
    try {
      const headers = { "content-type": descriptor.mediaType };
      const body = new TextDecoder().decode(bytes);
      proxy.add({
        on: ({ method, path }) => method === "GET" && path.includes("/manifests/staging-"),
        fault: { kind: "answer", status: 200, headers, body },
      });
      const changed = await writeSource(folder, {
        Dockerfile:
          "FROM docker.io/library/node:20-alpine\nCOPY Dockerfile /Dockerfile\nCOPY Dockerfile /second\n",
      });
      const run = pipelines({ hosts: [proxy.host] }).publish(["tiny"], source({}, changed), "json");
      const report = onlyService(await reportOf(run));
      expect([report.state, codes(report)]).toEqual(["published", []]);
      const manifests = report.variants.map(({ digest = "" }) => clientOf(0).manifest(REPOSITORY, digest));
      const layers = await Promise.all(manifests);
      const { value } = await clientOf(0).manifest(REPOSITORY, tag);
      const [old] = isIndex(value) ? value.manifests : [];
      const before = (await clientOf(0).manifest(REPOSITORY, old?.digest ?? "")).value;
      for (const { value: manifest } of layers) expect(layersOf(manifest)).toBe(layersOf(before) + 1);
    } finally {
      await proxy.stop();
    }
  });
});

const layersOf = (manifest: ManifestOrIndex): number => (isIndex(manifest) ? 0 : manifest.layers.length);

describe("Platforms that differ in a package", () => {
  it("fail smoke and release with --strict-parity, before anything is pushed; without it they are noted", async () => {
    const path = await writeSource(folder, {
      Dockerfile:
        "FROM docker.io/library/node:20-alpine\nARG TARGETARCH\nCOPY Dockerfile /Dockerfile\nCOPY $TARGETARCH /app/node_modules\n",
      "amd64/only/package.json": '{"name":"only","version":"1.0.0"}',
      "arm64/.keep": "",
    });
    const from = source({}, path);
    const smoked = await reportOf(pipelines({}).smoke(["tiny"], { ...from, strictParity: true }, "json"));
    expect([smoked.ok, codes(onlyService(smoked))]).toEqual([false, ["CHECK"]]);
    const strict = { ...FLAGS, ...from, strictParity: true };
    const refused = onlyService(await reportOf(pipelines({}).release(["tiny"], strict, "json")));
    expect([refused.state, codes(refused)]).toEqual(["failed", ["CHECK"]]);
    expect(refused.problems[0]?.what).toContain("only");
    expect(await digests("1.2.3")).toEqual(Array(3).fill(undefined));
    const noted = onlyService(await reportOf(pipelines({}).smoke(["tiny"], from, "json")));
    expect([noted.state, noted.notes.join()]).toEqual(["smoke ok", expect.stringContaining("only")]);
  });
});

describe("Promoting on another engine", () => {
  it("runs nothing again if every required registry has the version, and reads its layers once", async () => {
    await release();
    const first = await promote({ on: other });
    expect([first.ok, tests()]).toEqual([true, []]);
    const { variants, notes } = onlyService(first);
    expect(variants.map(({ elf, smoke }) => [elf?.foreign, smoke])).toEqual(
      PLATFORMS.map(() => [[], undefined]),
    );
    expect(notes.join()).toContain("not run");
    expect((await promote({ on: other })).ok).toBe(true);
    expect(steps.filter((step) => step === "verify").length).toBe(1);
  });

  it("checks and runs a version that only some registries have, and tags it after that", async () => {
    const { digest = "" } = await release();
    await clientOf(2).deleteManifest(REPOSITORY, digest);
    const promoted = await promote({ on: other });
    expect([promoted.ok, tests()]).toEqual([true, ALL_TESTS]);
    expect(await digests("1.2.3")).toEqual(Array(3).fill(digest));
  });

  it("moves no tag to a version with a file for another architecture", async () => {
    const { digest } = await release();
    for (const at of [0, 1, 2]) await rewriteImage(clientOf(at), REPOSITORY, "1.2.3", FOREIGN);
    const promoted = await promote({ on: other });
    expect([promoted.ok, codes(onlyService(promoted))]).toEqual([false, ["CHECK"]]);
    expect(await digests("latest")).toEqual(Array(3).fill(digest));
  });
});
