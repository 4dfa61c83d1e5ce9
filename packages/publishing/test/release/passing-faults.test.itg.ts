import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "@tgo/testing";
import { expectComplete, expectEachMadeOnce } from "./expectations.js";
import { SERVICES, type RegistryName } from "./places.js";
import type { Point } from "./points.js";
import { Registries } from "./real-registries.js";
import type { Outcome, ReleaseHarness } from "./release-harness.js";

let registries: Registries;
const totals = { releases: 0, faults: 0 };

beforeAll(async () => {
  registries = await Registries.start();
});
afterAll(async () => {
  await registries.stop();
  console.log(
    `release: ${totals.releases} releases through ${totals.faults} faults that pass, each complete in one run`,
  );
});

async function completes(harness: ReleaseHarness, outcome: Outcome): Promise<void> {
  totals.releases += 1;
  totals.faults += harness.struck();
  await expectComplete(harness, outcome);
  expectEachMadeOnce(harness);
}

const WRITES: readonly Point[] = [
  "a layer",
  "the start of an upload",
  "a variant's manifest",
  "the candidate's tag",
  "the version's tag",
  "the tag latest",
];
const READS: readonly Point[] = [
  "the look for a layer",
  "the read of the candidate",
  "the read of the version's tag",
  "the read of latest",
  "the list of tags",
];

/** In the middle of the body: half of a layer, or half of a manifest. */
const middle = (point: Point): number =>
  point === "a layer" ? 100_000 : point === "the start of an upload" ? 0 : 150;

interface Passing {
  readonly told: string;
  readonly fault: (point: Point) => Fault;
  readonly points: readonly Point[];
  /** What is waited before each further try, milliseconds. */
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

const PASSING: readonly Passing[] = [
  { told: "a closed connection", fault: () => ({ kind: "refuse" }), points: ANY, waits: USUAL },
  {
    told: "a reset in the middle of a layer or a manifest",
    fault: (at) => ({ kind: "reset", afterBytes: middle(at) }),
    points: WRITES,
    waits: USUAL,
  },
  { told: "an answer that is lost", fault: () => ({ kind: "lose-answer" }), points: ANY, waits: USUAL },
  {
    told: "429 with Retry-After: 7",
    fault: status(429, WAITS),
    points: ANY,
    waits: { least: 7000, most: 8000 },
  },
  { told: "429 without Retry-After", fault: status(429), points: ANY, waits: { least: 1000, most: 2000 } },
  { told: "500", fault: status(500), points: ANY, waits: USUAL },
  { told: "502", fault: status(502), points: ANY, waits: USUAL },
  { told: "503", fault: status(503), points: ANY, waits: USUAL },
  {
    told: "503 with Retry-After: 7",
    fault: status(503, WAITS),
    points: ANY,
    waits: { least: 7000, most: 8000 },
  },
];

describe("A release ends complete in one run", () => {
  it.each(PASSING)("through $told, twice at every kind of request", async ({ fault, points, waits }) => {
    const harness = await registries.harness();
    for (const point of points) harness.fail(fault(point), point, 2);
    const outcome = await harness.release();
    // Each one cost one more try, which waited as it was asked to.
    expect(harness.struck()).toBe(2 * points.length);
    const reasons = outcome.retries.map(({ reason }) => reason).join("\n");
    expect(outcome.retries.length, reasons).toBeGreaterThanOrEqual(harness.struck());
    // A machine that stands still for seconds may break a connection by itself.
    expect(outcome.retries.length, reasons).toBeLessThanOrEqual(harness.struck() + 2);
    const waited = outcome.retries.map(({ waitMs }) => waitMs);
    expect(Math.min(...waited)).toBeGreaterThanOrEqual(waits.least);
    expect(Math.max(...waited)).toBeLessThanOrEqual(waits.most);
    await completes(harness, outcome);
  });
});

describe("A release ends complete in one run, too,", () => {
  it.each<[string, Fault, Point]>([
    ["a layer whose answer never comes", { kind: "hang" }, "a layer"],
    ["a version tag whose answer never comes", { kind: "hang" }, "the version's tag"],
    ["a look for a candidate that is never answered", { kind: "hang" }, "the read of the candidate"],
    [
      "a manifest of which half comes, and then silence",
      { kind: "stall", afterBytes: 150 },
      "the download of a manifest",
    ],
  ])("after %s", async (_, fault, point) => {
    const harness = await registries.harness();
    harness.fail(fault, point, 1);
    const outcome = await harness.release({ timeoutMs: 1000 });
    expect(outcome.retries.map(({ reason }) => reason).join()).toContain("no response for 1 s");
    await completes(harness, outcome);
  });

  it.each<[string, Fault, Point]>([
    ["a layer breaks off in the middle", { kind: "cut", afterBytes: 100_000 }, "the download of a layer"],
    ["a manifest breaks off in the middle", { kind: "cut", afterBytes: 150 }, "the download of a manifest"],
    [
      "a layer comes in pieces, slower in all than the longest silence",
      { kind: "drip", pieces: 6, ms: 250 },
      "the download of a layer",
    ],
  ])("when, copied from the one registry that has it, %s", async (_, fault, point) => {
    const harness = await registries.harness();
    await harness.seed("ghcr");
    harness.fail(fault, point, 2, { registry: "ghcr" });
    const outcome = await harness.release({ timeoutMs: 1000 });
    expect(harness.struck()).toBe(2);
    await completes(harness, outcome);
  });

  it.each<[string, Fault, Point, number]>([
    ["a layer is accepted and missing afterwards", { kind: "forget" }, "a layer", 1],
    ["a manifest is accepted and missing afterwards", { kind: "forget" }, "a variant's manifest", 1],
    ["the candidate's tag is not shown for a while", { kind: "stale" }, "the read of the candidate", 3],
    ["the version's tag is not shown for a while", { kind: "stale" }, "the read of the version's tag", 3],
    ["latest is not shown for a while", { kind: "stale" }, "the read of latest", 3],
  ])("when %s", async (_, fault, point, times) => {
    const harness = await registries.harness();
    harness.fail(fault, point, times);
    const outcome = await harness.release();
    expect(harness.struck()).toBe(times);
    await completes(harness, outcome);
  });

  it("when a token ends in the middle of it", async () => {
    const harness = await registries.harness();
    const refusal = '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}';
    for (const point of WRITES) harness.fail({ kind: "answer", status: 401, body: refusal }, point, 1);
    await completes(harness, await harness.release());
  });

  it("when the registry is started anew in the middle of it: for a moment nothing listens", async () => {
    const harness = await registries.harness({ onWait: () => registries.proxies.dockerhub.up() });
    harness.fail({ kind: "down" }, "the candidate's tag", 1);
    const outcome = await harness.release();
    expect(outcome.retries.length).toBeGreaterThan(0);
    await completes(harness, outcome);
  });

  it("and really waits as long as the registry asks for", async () => {
    const harness = await registries.harness({ waits: true });
    harness.fail({ kind: "answer", status: 429, headers: { "retry-after": "1" } }, "the version's tag", 1);
    const outcome = await harness.release();
    expect(outcome.durationMs).toBeGreaterThan(1000);
    await completes(harness, outcome);
  });

  it("when it is a promotion that brings a version back to a registry that lost it", async () => {
    const harness = await registries.harness();
    expect((await harness.release()).ok).toBe(true);
    await harness.remove("dockerhub", "tgo-web", "1.2.3");
    const points = [
      "a variant's manifest",
      "the candidate's tag",
      "the version's tag",
      "the tag latest",
    ] as const;
    for (const point of points) harness.fail(status(503)(), point, 2);
    const outcome = await harness.promote("1.2.3");
    expect(harness.struck()).toBe(2 * points.length);
    await completes(harness, outcome);
  });

  it("when one registry is slow, which holds up none of the others", async () => {
    const harness = await registries.harness();
    for (const service of SERVICES)
      harness.fail({ kind: "delay", ms: 100 }, "every request", undefined, { service });
    const outcome = await harness.release();
    await completes(harness, outcome);
    const candidates = (name: RegistryName): number[] => harness.times(name, "the candidate's tag");
    const others = [...candidates("ghcr"), ...candidates("acr")];
    expect(others).toHaveLength(4);
    expect(Math.max(...others)).toBeLessThan(Math.min(...candidates("dockerhub")));
  });
});
