import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "@tgo/testing";
import { expectComplete, expectEachBuiltOnce } from "./expectations.js";
import { SERVICES, type RegistryName } from "./release-subjects.js";
import type { RequestKind } from "./request-kinds.js";
import { RealRegistries } from "./real-registries.js";
import { ReleaseHarness, type Outcome } from "./release-harness.js";

let registries: RealRegistries;
const totals = { releases: 0, faults: 0 };

beforeAll(async () => {
  registries = await RealRegistries.start();
});
afterAll(async () => {
  await registries.stop();
  console.log(
    `release: ${totals.releases} releases with ${totals.faults} passing faults, each complete in one run`,
  );
});

async function expectCompleteRun(harness: ReleaseHarness, outcome: Outcome): Promise<void> {
  totals.releases += 1;
  totals.faults += harness.faultCount();
  await expectComplete(harness, outcome);
  expectEachBuiltOnce(harness);
}

const WRITES: readonly RequestKind[] = [
  "layer upload",
  "upload start",
  "variant write",
  "candidate write",
  "version write",
  "latest write",
];
const READS: readonly RequestKind[] = [
  "layer check",
  "candidate read",
  "version read",
  "latest read",
  "tag list",
];

/** Bytes to the middle of the body: half of a layer, or half of a manifest. */
const middle = (kind: RequestKind): number =>
  kind === "layer upload" ? 100_000 : kind === "upload start" ? 0 : 150;

interface PassingFault {
  readonly title: string;
  readonly fault: (kind: RequestKind) => Fault;
  readonly kinds: readonly RequestKind[];
  /** Limits of the wait before each retry, in milliseconds. */
  readonly waits: { readonly least: number; readonly most: number };
}

const USUAL = { least: 0, most: 1000 };
const status =
  (code: number, headers: Record<string, string> = {}): (() => Fault) =>
  () => ({
    kind: "answer",
    status: code,
    headers,
    body: '{"errors":[{"code":"UNKNOWN","message":"try again"}]}',
  });
const WAITS = { "retry-after": "7" };
const ANY = [...WRITES, ...READS];

const PASSING: readonly PassingFault[] = [
  { title: "a closed connection", fault: () => ({ kind: "refuse" }), kinds: ANY, waits: USUAL },
  {
    title: "a reset in the middle of a layer or a manifest",
    fault: (kind) => ({ kind: "reset", afterBytes: middle(kind) }),
    kinds: WRITES,
    waits: USUAL,
  },
  { title: "a lost response", fault: () => ({ kind: "lose-answer" }), kinds: ANY, waits: USUAL },
  {
    title: "429 with Retry-After: 7",
    fault: status(429, WAITS),
    kinds: ANY,
    waits: { least: 7000, most: 8000 },
  },
  { title: "429 without Retry-After", fault: status(429), kinds: ANY, waits: { least: 1000, most: 2000 } },
  { title: "500", fault: status(500), kinds: ANY, waits: USUAL },
  { title: "502", fault: status(502), kinds: ANY, waits: USUAL },
  { title: "503", fault: status(503), kinds: ANY, waits: USUAL },
  {
    title: "503 with Retry-After: 7",
    fault: status(503, WAITS),
    kinds: ANY,
    waits: { least: 7000, most: 8000 },
  },
];

describe("A release ends complete in one run", () => {
  it.each(PASSING)("despite $title, twice for every kind of request", async ({ fault, kinds, waits }) => {
    const harness = await ReleaseHarness.create(registries);
    for (const kind of kinds) harness.fail(fault(kind), kind, 2);
    const outcome = await harness.release();
    // Each fault cost one retry, after the wait asked for.
    expect(harness.faultCount()).toBe(2 * kinds.length);
    const reasons = outcome.retries.map(({ reason }) => reason).join("\n");
    expect(outcome.retries.length, reasons).toBeGreaterThanOrEqual(harness.faultCount());
    // A busy machine may break a connection by itself.
    expect(outcome.retries.length, reasons).toBeLessThanOrEqual(harness.faultCount() + 2);
    const waited = outcome.retries.map(({ waitMs }) => waitMs);
    expect(Math.min(...waited)).toBeGreaterThanOrEqual(waits.least);
    expect(Math.max(...waited)).toBeLessThanOrEqual(waits.most);
    await expectCompleteRun(harness, outcome);
  });
});

describe("A release also ends complete in one run", () => {
  it.each<[string, Fault, RequestKind]>([
    ["a layer upload that hangs", { kind: "hang" }, "layer upload"],
    ["a version tag write that hangs", { kind: "hang" }, "version write"],
    ["a candidate read that hangs", { kind: "hang" }, "candidate read"],
    ["a manifest that stops half way", { kind: "stall", afterBytes: 150 }, "manifest read"],
  ])("after %s", async (_, fault, kind) => {
    const harness = await ReleaseHarness.create(registries);
    harness.fail(fault, kind, 1);
    const outcome = await harness.release({ timeoutMs: 3000 });
    expect(outcome.retries.map(({ reason }) => reason).join()).toMatch(/no response for [23] s/);
    await expectCompleteRun(harness, outcome);
  });

  it.each<[string, Fault, RequestKind]>([
    ["a layer breaks off in the middle", { kind: "cut", afterBytes: 100_000 }, "layer download"],
    ["a manifest breaks off in the middle", { kind: "cut", afterBytes: 150 }, "manifest read"],
    [
      "a layer arrives slowly, in all longer than the timeout",
      { kind: "drip", pieces: 8, ms: 450 },
      "layer download",
    ],
  ])("when %s while it is copied from the only registry that has it", async (_, fault, kind) => {
    const harness = await ReleaseHarness.create(registries);
    await harness.seed("ghcr");
    harness.fail(fault, kind, 2, { registry: "ghcr" });
    const outcome = await harness.release({ timeoutMs: 3000 });
    expect(harness.faultCount()).toBe(2);
    await expectCompleteRun(harness, outcome);
  });

  it.each<[string, Fault, RequestKind, number]>([
    ["a layer is accepted but missing afterwards", { kind: "forget" }, "layer upload", 1],
    ["a manifest is accepted but missing afterwards", { kind: "forget" }, "variant write", 1],
    ["the candidate's tag is not visible for a while", { kind: "stale" }, "candidate read", 3],
    ["the version's tag is not visible for a while", { kind: "stale" }, "version read", 3],
    ["latest is not visible for a while", { kind: "stale" }, "latest read", 3],
  ])("when %s", async (_, fault, kind, times) => {
    const harness = await ReleaseHarness.create(registries);
    harness.fail(fault, kind, times);
    const outcome = await harness.release();
    expect(harness.faultCount()).toBe(times);
    await expectCompleteRun(harness, outcome);
  });

  it("when a token expires half way", async () => {
    const harness = await ReleaseHarness.create(registries);
    const refusal = '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}';
    for (const kind of WRITES) harness.fail({ kind: "answer", status: 401, body: refusal }, kind, 1);
    await expectCompleteRun(harness, await harness.release());
  });

  it("when the registry restarts half way, and does not listen for a moment", async () => {
    const harness = await ReleaseHarness.create(registries, {
      onWait: () => registries.proxies.dockerhub.up(),
    });
    harness.fail({ kind: "down" }, "candidate write", 1);
    const outcome = await harness.release();
    expect(outcome.retries.length).toBeGreaterThan(0);
    await expectCompleteRun(harness, outcome);
  });

  it("after a real wait as long as the registry asks for", async () => {
    const harness = await ReleaseHarness.create(registries, { waits: true });
    harness.fail({ kind: "answer", status: 429, headers: { "retry-after": "1" } }, "version write", 1);
    const outcome = await harness.release();
    expect(outcome.durationMs).toBeGreaterThan(1000);
    await expectCompleteRun(harness, outcome);
  });

  it("when a promotion restores a version in a registry that lost it", async () => {
    const harness = await ReleaseHarness.create(registries);
    expect((await harness.release()).ok).toBe(true);
    await harness.remove("dockerhub", "tgo-web", "1.2.3");
    const kinds = ["variant write", "version write", "latest write"] as const;
    for (const kind of kinds) harness.fail(status(503)(), kind, 2);
    const outcome = await harness.promote("1.2.3");
    expect(harness.faultCount()).toBe(2 * kinds.length);
    await expectCompleteRun(harness, outcome);
  });

  it("when one registry is slow, without holding up the others", async () => {
    const harness = await ReleaseHarness.create(registries);
    for (const service of SERVICES)
      harness.fail({ kind: "delay", ms: 100 }, "any request", undefined, { service });
    const outcome = await harness.release();
    await expectCompleteRun(harness, outcome);
    const candidates = (name: RegistryName): number[] => harness.times(name, "candidate write");
    const others = [...candidates("ghcr"), ...candidates("acr")];
    expect(others).toHaveLength(4);
    expect(Math.max(...others)).toBeLessThan(Math.min(...candidates("dockerhub")));
  });
});
