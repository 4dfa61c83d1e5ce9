import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Client, Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { Report } from "@tgo/report";
import {
  dockerConfig,
  startBaseMirror,
  startFaultProxy,
  startRegistry,
  type FaultProxy,
  type LocalRegistry,
} from "@tgo/testing";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { ReportError } from "../src/function-failed.js";
import { Pipelines } from "../src/pipelines.js";
import type { SourceArguments } from "../src/source-arguments.js";
import { failedReport } from "./support/failed-report.js";
import { startSession, writeSource, type EngineSession } from "./support/session.js";

const COMMIT = { revision: "0123456789abcdef0123456789abcdef01234567", created: "2026-03-04T05:06:07Z" };
const SOURCES = {
  "repos/fine/Dockerfile": "FROM bases.example/two:1\n",
  "repos/alone/Dockerfile": "FROM bases.example/one:1\n",
  "repos/unlocked/requirements.txt": "fastapi==0.115.0\n",
};
const SERVICES = {
  fine: { title: "Fine", build: { strategy: "dockerfile" } },
  alone: {
    title: "With a base image for one platform",
    build: { strategy: "dockerfile", secrets: ["TOKEN"] },
    image: { files: [{ from: "no.conf", to: "/etc/no.conf" }] },
  },
  unlocked: { title: "Without a lock", build: { strategy: "python" } },
};

let folder: string;
let mirror: LocalRegistry;
let open: LocalRegistry;
let bearer: LocalRegistry;
const proxies: FaultProxy[] = [];
let session: EngineSession;
let client: Client;
let sources: string;
/** Commands that ran on the engine, with their platform. */
let commands: string[] = [];
let steps: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tgo-preflight-"));
  [mirror, open, bearer] = await Promise.all([
    startBaseMirror({ log: (text) => process.stdout.write(`${text}\n`) }),
    startRegistry({ auth: "none" }),
    startRegistry({ auth: "bearer" }),
  ]);
  session = await startSession({
    home: join(folder, "engine"),
    onEvent: (event) => {
      if (event.kind === "exec") commands.push(`${event.title} (${event.platform ?? ""})`);
    },
  });
  ({ client } = session);
  const variants = ["linux/amd64", "linux/arm64"].map((platform) =>
    client.container({ platform: platform as DaggerPlatform }).withNewFile("/base.txt", platform),
  );
  await client.container().publish(`${open.host}/two:1`, { platformVariants: [...variants] });
  await variants[0]?.publish(`${open.host}/one:1`);
  sources = await writeSource(folder, SOURCES);
});

afterAll(async () => {
  await session.stop();
  await Promise.all([...proxies, mirror, open, bearer].map((each) => each.stop()));
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  commands = [];
  steps = [];
});

/** A registry that responds to the start of an upload like this. */
async function respondingWith(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<FaultProxy> {
  const proxy = await startFaultProxy(open.url);
  proxy.add({ on: ({ method }) => method === "POST", fault: { kind: "answer", status, headers, body } });
  proxies.push(proxy);
  return proxy;
}

function pipelines(registries: Readonly<Record<string, object>>): Pipelines {
  const mirrors = { images: { "docker.io": mirror.host, "bases.example": open.host } };
  const product = {
    catalog: { services: SERVICES, registries, mirrors },
    pipeline: "test",
    buildHash: "test",
  };
  const config = client.setSecret("config", dockerConfig([{ ...bearer, password: "wrong" }]));
  const host = { local: true, progress: ({ step }: { step: string }) => steps.push(step) };
  return new Pipelines(client, product, { dockerConfig: config }, host);
}

const entry = ({ host }: { host: string }, required = true): object => ({
  host,
  repository: "tgoai/{service}",
  required,
});

const source = (): SourceArguments => ({
  source: client.host().directory(sources),
  ...COMMIT,
});

it("Preflight reports all problems at once, those of all services once, and pushes nothing", async () => {
  const hour = new Date(Date.now() - 3600_000).toUTCString();
  const [refused, missing, late] = await Promise.all([
    respondingWith(403, '{"errors":[{"code":"DENIED","message":"no push for you"}]}'),
    respondingWith(404, '{"errors":[{"code":"NAME_UNKNOWN","message":"project tgoai not found"}]}'),
    respondingWith(202, "", { location: "/v2/tgoai/x/blobs/uploads/1", date: hour }),
  ]);
  const registries = {
    open: entry(open),
    refused: entry(refused),
    missing: entry(missing),
    late: entry(late, false),
    wrong: entry(bearer),
  };
  const run = pipelines(registries).preflight(["all"], { version: "1.2.3", ...source() }, "text");
  const text = await run.catch((error: unknown) => (error instanceof ReportError ? error.message : ""));
  const report = await failedReport(run);

  expect(report.services.map(({ service, state }) => `${service} ${state}`)).toEqual([
    "fine failed",
    "alone failed",
    "unlocked failed",
  ]);
  const own = (name: string): string[] =>
    report.services.find(({ service }) => service === name)?.problems.map(({ what }) => what) ?? [];
  expect(own("fine")).toEqual([]);
  expect(own("alone")).toEqual([
    expect.stringContaining("base image bases.example/one:1 has no linux/arm64 variant"),
    expect.stringContaining("alone has no no.conf"),
    expect.stringContaining("alone needs the build secret TOKEN"),
  ]);
  expect(own("unlocked")).toEqual([expect.stringContaining("fastapi==0.115.0")]);
  for (const { registries: rows } of report.services) {
    expect(rows.map(({ registry, problems }) => [registry, problems.map(({ code }) => code)])).toEqual([
      ["open", []],
      ["refused", ["DENIED"]],
      ["missing", ["NOT_FOUND"]],
      ["late", []],
      ["wrong", ["UNAUTHORIZED"]],
    ]);
  }
  const all = report.services.flatMap(({ problems, registries: rows }) => [
    ...problems,
    ...rows.flatMap((row) => row.problems),
  ]);
  for (const { remedy } of all) expect(remedy).toMatch(/\w/);
  expect(report.problems).toMatchObject([
    { what: expect.stringMatching(/clock of late is 60 min behind/) as string },
  ]);

  expect(text.match(/no push for you/g)).toHaveLength(1);
  expect(text).toContain(`all 3 services in refused: ${refused.host}/tgoai`);
  for (const proxy of proxies)
    expect(proxy.requests().filter(({ method }) => method === "PUT" || method === "PATCH")).toEqual([]);
});

it("Preflight without problems says ready, after it ran a program of the other platform", async () => {
  const started = performance.now();
  const report = JSON.parse(
    await pipelines({ open: entry(open) }).preflight(["fine"], { gitTag: "v1.2.3", ...source() }, "json"),
  ) as Report;
  console.log(`preflight of one service: ${Math.round(performance.now() - started)} ms`);
  expect(report).toMatchObject({
    command: "preflight",
    ok: true,
    version: "1.2.3",
    problems: [],
    services: [{ service: "fine", state: "ready", registries: [{ registry: "open", state: "ready" }] }],
  });
  expect(commands).toContainEqual(expect.stringMatching(/^\/tgo-probe \(linux\/(amd64|arm64)\)$/));
});

it("A release starts with it: a required registry that refuses stops it before anything is built", async () => {
  const refused = await respondingWith(403, '{"errors":[{"code":"DENIED","message":"read only"}]}');
  const flags = { version: "1.2.3", allowBackwards: false, adoptLatest: false };
  const registries = { open: entry(open), refused: entry(refused) };
  const report = await failedReport(
    pipelines(registries).release(["fine"], { ...flags, ...source() }, "json"),
  );
  expect(report).toMatchObject({
    command: "release",
    gate: { open: false, reasons: [expect.stringContaining("nothing was built")] },
    services: [{ registries: [{ state: "ready" }, { state: "failed", problems: [{ code: "DENIED" }] }] }],
  });
  expect(steps).not.toContain("build");
});

it("A promotion also checks push access", async () => {
  const refused = await respondingWith(403, '{"errors":[{"code":"DENIED","message":"read only"}]}');
  const flags = { version: "1.2.3", allowBackwards: false, adoptLatest: false };
  const report = await failedReport(pipelines({ refused: entry(refused) }).promote(["fine"], flags, "json"));
  expect(report.services[0]?.registries[0]?.problems).toMatchObject([{ code: "DENIED" }]);
  expect(report.gate?.open).toBe(false);
});
