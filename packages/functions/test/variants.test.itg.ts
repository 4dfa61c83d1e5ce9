import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isIndex, Registry } from "@tgo/registry";
import type { Report, ServiceReport } from "@tgo/report";
import { startBaseMirror, startRegistry, type LocalRegistry } from "@tgo/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Pipelines } from "../src/pipelines.js";
import { failedReport } from "./support/failed-report.js";
import { startSession, writeSource, type EngineSession } from "./support/session.js";

const COMMIT = { revision: "0123456789abcdef0123456789abcdef01234567", created: "2026-03-04T05:06:07Z" };
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PEM = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const TRUSTED = publicKey.export({ type: "spki", format: "pem" }).toString();

let folder: string;
let sourcePath: string;
let mirror: LocalRegistry;
/** The first has the platforms' images; the third belongs to the run on one machine. */
let registries: readonly LocalRegistry[];
let builder: EngineSession;
let assembler: EngineSession;
/** Steps that ended, in order, and notes. */
let steps: string[] = [];
let told: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-variants-"));
  [sourcePath, mirror, registries] = await Promise.all([
    writeSource(folder, {
      Dockerfile:
        "FROM docker.io/library/node:20-alpine\nRUN echo made > /made\nCOPY Dockerfile /Dockerfile\n",
    }),
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    Promise.all(["a", "b", "c"].map(() => startRegistry({ auth: "none" }))),
  ]);
  builder = await startSession({ home: join(folder, "builder"), onEvent: () => undefined });
  assembler = await startSession({ home: join(folder, "assembler"), onEvent: () => undefined });
});

afterAll(async () => {
  await Promise.all([builder, assembler].map((each) => each.stop()));
  await Promise.all([mirror, ...registries].map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  steps = [];
  told = [];
});

interface Machine {
  readonly on: EngineSession;
  readonly platform?: string;
  readonly service?: string;
  readonly at?: readonly LocalRegistry[];
  readonly pipeline?: string;
}

/** Both registries, and a service of the same content under each name: its images share nothing with the others'. */
function pipelines({
  on,
  platform,
  service = "tiny",
  at = registries.slice(0, 2),
  pipeline = "p1",
}: Machine): Pipelines {
  const catalog = {
    services: { [service]: { title: service, build: { strategy: "dockerfile" } } },
    registries: Object.fromEntries(
      at.map(({ host }, index) => [`r${index}`, { host, repository: "tgoai/{service}", referrers: true }]),
    ),
    mirrors: { images: { "docker.io": mirror.host } },
    signatures: { keys: [{ name: "release", publicKey: TRUSTED }] },
  };
  return new Pipelines(
    on.client,
    { catalog, pipeline, buildHash: "test" },
    platform === undefined ? {} : { platform: [platform] },
    {
      local: true,
      progress: ({ kind, step, platform: of, detail }) => {
        if (kind === "end") steps.push(of === undefined ? step : `${step} ${of}`);
        if (kind === "note") told.push(detail ?? "");
      },
    },
  );
}

const source = ({ client }: EngineSession): object => ({
  source: client.host().directory(sourcePath),
  ...COMMIT,
});
const key = ({ client }: EngineSession): object => ({ signingKey: client.setSecret("signing", PEM) });

function onlyService(text: string | Report): ServiceReport {
  const { services } = typeof text === "string" ? (JSON.parse(text) as Report) : text;
  const [service] = services;
  if (service === undefined) throw new Error("no service in the report");
  return service;
}

async function buildVariant(machine: Machine, signed = true, more: object = {}): Promise<ServiceReport> {
  const { on, service = "tiny" } = machine;
  const flags = { ...source(on), ...(signed ? key(on) : {}), ...more };
  return onlyService(await pipelines(machine).buildVariant([service], flags, "json"));
}

const assembly = (machine: Machine, more: object = {}): Promise<string> =>
  pipelines(machine).publish(
    [machine.service ?? "tiny"],
    { ...source(machine.on), ...key(machine.on), assemble: true, ...more },
    "json",
  );

const notesOn = ({ notes }: ServiceReport): string[] => notes.filter((note) => note.startsWith("linux/"));

describe("Platforms that are built one by one", () => {
  let digest: string | undefined;

  it("wait in one registry, with signed proofs, and an assembly that lacks one names it and its command", async () => {
    const report = await buildVariant({ on: builder, platform: "linux/amd64" });
    expect([report.state, report.registries.map(({ registry }) => registry)]).toEqual(["published", ["r0"]]);
    expect(report.tag).toMatch(/^variant-[0-9a-f]{16}-linux-amd64$/);
    expect(report.variants.map(({ platform, smoke }) => [platform, smoke?.native])).toEqual([
      ["linux/amd64", true],
    ]);
    // Whoever waits for the tag finds the proof.
    expect(steps.filter((step) => ["attest", "tag"].includes(step))).toEqual(["attest", "tag"]);
    const { problems } = onlyService(await failedReport(assembly({ on: assembler })));
    expect(problems).toMatchObject([
      {
        code: "NOT_FOUND",
        what: expect.stringContaining("no registry has linux/arm64 of candidate") as string,
      },
    ]);
    expect(problems[0]?.what).toContain("r0 has linux/amd64");
    expect(problems[0]?.remedy).toContain("tgo build-variant --service tiny --platform linux/arm64");
  });

  it("are waited for, and assembled without a build and without a run, everywhere", async () => {
    const waiting = assembly({ on: assembler }, { wait: "5m" });
    const arm = await buildVariant({ on: builder, platform: "linux/arm64" });
    expect(arm.variants.map(({ smoke }) => [smoke?.native, smoke?.emulator?.split(" ")[0]])).toEqual([
      [false, "QEMU"],
    ]);
    const report = onlyService(await waiting);
    digest = report.digest;
    expect([report.state, report.registries.map(({ state }) => state)]).toEqual([
      "published",
      ["done", "done"],
    ]);
    expect(told.filter((note) => /^waiting up to .* for linux\/arm64: another/.test(note))).toHaveLength(1);
    expect(notesOn(report)).toEqual([
      "linux/amd64: ran natively, by the proof that key release signed",
      expect.stringMatching(
        /^linux\/arm64: ran under emulation by QEMU [\d.]+, by the proof that key release/,
      ),
    ]);
    for (const { host } of registries.slice(0, 2)) {
      const { value } = await new Registry({ host }).manifest("tgoai/tiny", report.tag ?? "");
      expect(isIndex(value) && value.manifests.length).toBe(2);
    }
  });

  it("give the digest of one machine", async () => {
    const at = registries.slice(2);
    const flags = source(builder);
    const report = onlyService(await pipelines({ on: builder, at }).publish(["tiny"], flags, "json"));
    expect(report.digest).toBe(digest);
  });

  it("are not assembled twice", async () => {
    const report = onlyService(await assembly({ on: assembler }));
    expect([report.state, report.digest]).toEqual(["already there", digest]);
    expect(steps.filter((step) => /^(build|smoke|finalise|upload)/.test(step))).toEqual([]);
  });
});

it("build-variant runs a variant again that only other pipelines have proven, and signs that it did", async () => {
  const on = await startSession({ home: join(folder, "newer"), onEvent: () => undefined });
  try {
    const machine = { on, platform: "linux/amd64", service: "newer" };
    await buildVariant({ ...machine, on: builder });
    expect((await buildVariant(machine)).state).toBe("already there");
    expect(steps.filter((step) => step.startsWith("smoke"))).toEqual(["smoke linux/amd64"]);
    const again = await buildVariant({ ...machine, pipeline: "p2" });
    expect(again.state).toBe("already there");
    expect(again.notes.join()).toContain("signed");
  } finally {
    await on.stop();
  }
});

it("An assembly runs again what nobody signed, and says so; under emulation only if that is allowed", async () => {
  const version = { version: "1.2.3" };
  for (const platform of ["linux/amd64", "linux/arm64"]) {
    const { notes } = await buildVariant({ on: builder, platform }, false, version);
    expect(notes.join()).toContain(`${platform}: without a signed proof, it is run again`);
  }
  steps = [];
  const native = assembly({ on: assembler }, { ...version, requireNative: true, signingKey: undefined });
  const { problems } = onlyService(await failedReport(native));
  expect(problems.map(({ what }) => what)).toEqual([
    "linux/arm64 has no proof of a native run: it has no signed proof",
  ]);
  const report = onlyService(await assembly({ on: assembler }, { ...version, signingKey: undefined }));
  expect(notesOn(report)).toEqual([
    expect.stringMatching(/^linux\/amd64: (checked and run again|ran) natively/),
    expect.stringMatching(
      /^linux\/arm64: checked and run again under emulation by QEMU [\d.]+, because it has/,
    ),
  ]);
  expect(steps.filter((step) => step.startsWith("smoke")).sort()).toEqual([
    "smoke linux/amd64",
    "smoke linux/arm64",
  ]);
});

it("build-variant refuses emulation where native is asked for", async () => {
  const machine = { on: builder, platform: "linux/arm64", service: "native" };
  const run = pipelines(machine).buildVariant(
    ["native"],
    { ...source(builder), requireNative: true },
    "json",
  );
  const { problems } = onlyService(await failedReport(run));
  expect(problems[0]?.what).toContain("linux/arm64 would run under emulation here");
});
