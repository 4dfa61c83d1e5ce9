import type { Problem } from "@tgo/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "@tgo/testing";
import { expectComplete, expectEachMadeOnce, expectNoLatestAhead } from "./expectations.js";
import { FAULTY } from "./places.js";
import type { Point } from "./points.js";
import { Registries } from "./real-registries.js";
import type { Outcome, ReleaseHarness } from "./release-harness.js";

let registries: Registries;
const totals = { failed: 0, faults: 0, finished: 0 };

beforeAll(async () => {
  registries = await Registries.start();
});
afterAll(async () => {
  await registries.stop();
  console.log(
    `release: ${totals.failed} runs that failed of ${totals.faults} faults that stay and said so, ` +
      `${totals.finished} finished by the same command`,
  );
});

/** What is wrong, and where; what the report says of it, and what it says is to be done. */
type Lasting = readonly [told: string, fault: Fault, at: Point, what: RegExp, remedy: RegExp];

const answer = (
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Fault => ({
  kind: "answer",
  status,
  headers,
  body: JSON.stringify({ errors: [{ code, message }] }),
});
const MAINTENANCE = answer(503, "UNAVAILABLE", "maintenance");
const BAD_GATEWAY: Fault = {
  kind: "answer",
  status: 502,
  headers: { "content-type": "text/html" },
  body: "<html>Bad Gateway</html>",
};
const DENIED = answer(403, "DENIED", "requested access to the resource is denied");
const UNAUTHORIZED = answer(401, "UNAUTHORIZED", "authentication required");
const BUSY = answer(429, "TOOMANYREQUESTS", "slow down");
const BUSY_FOR_SECONDS = answer(429, "TOOMANYREQUESTS", "slow down", { "retry-after": "7" });
const BUSY_AN_HOUR = answer(429, "TOOMANYREQUESTS", "slow down", { "retry-after": "3600" });

const BROKEN = /connection (reset|closed)/;
const REFUSED = /connection refused/;
const NOT_ACCEPTED = /rejects these credentials/;
const NO_ACCESS = /these credentials have no access/;
const TOO_MANY = /too many requests: .*slow down/;
const NO_ANSWER = /no response for/;
const REWRITTEN = /stored the manifest under sha256:/;
const NOT_HELD = /refers to content that is not in the repository/;
const NO_CANDIDATE = /accepted the push, but there is no tag "candidate-/;
const NOT_THERE = /accepted the tag for 1\.2\.3, but the tag is missing/;

const LATER = /same command again/;
const AFTER_AN_HOUR = /asks for 60 min: wait that long, then run the same command again/;
const START = /Start the registry/;
const LOGIN = /docker login/;
const DIRECTLY = /rewrites manifests. Push to it directly/;

const BEFORE_THE_GATE: readonly Lasting[] = [
  ["nothing listens", { kind: "down" }, "every request", REFUSED, START],
  ["nothing listens any more", { kind: "down" }, "a layer", REFUSED, START],
  ["connections are closed", { kind: "refuse" }, "every write", BROKEN, LATER],
  ["layers break off", { kind: "reset", afterBytes: 100_000 }, "a layer", BROKEN, LATER],
  ["manifests break off", { kind: "reset", afterBytes: 150 }, "a variant's manifest", BROKEN, LATER],
  ["401 for a layer", UNAUTHORIZED, "a layer", NOT_ACCEPTED, LOGIN],
  ["401 for the candidate's tag", UNAUTHORIZED, "the candidate's tag", NOT_ACCEPTED, LOGIN],
  ["403 for a layer", DENIED, "the start of an upload", NO_ACCESS, LOGIN],
  ["403 for the candidate's tag", DENIED, "the candidate's tag", NO_ACCESS, LOGIN],
  ["429 for ever", BUSY, "a layer", TOO_MANY, LATER],
  ["429 for an hour, for a layer", BUSY_AN_HOUR, "a layer", TOO_MANY, AFTER_AN_HOUR],
  ["429 for an hour, for a manifest", BUSY_AN_HOUR, "a variant's manifest", TOO_MANY, AFTER_AN_HOUR],
  ["500 for a layer", answer(500, "UNKNOWN", "disk full"), "a layer", /status 500.*disk full/, LATER],
  ["502 for a manifest", BAD_GATEWAY, "a variant's manifest", /status 502/, LATER],
  ["503 for everything", MAINTENANCE, "every request", /status 503.*(maintenance|empty)/, LATER],
  ["layers are never answered", { kind: "hang" }, "a layer", NO_ANSWER, LATER],
  ["nothing is ever answered", { kind: "hang" }, "every request", NO_ANSWER, LATER],
  ["layers are accepted and not kept", { kind: "forget" }, "a layer", NOT_HELD, LATER],
  [
    "layers are accepted and never shown",
    answer(404, "BLOB_UNKNOWN", "blob unknown to registry"),
    "the look for a layer",
    /linux\/amd64 is incomplete: sha256:\w+ is not in the repository/,
    /Publish again/,
  ],
  ["manifests are accepted and not kept", { kind: "forget" }, "a variant's manifest", NOT_HELD, LATER],
  [
    "the candidate's tag is accepted and not kept",
    { kind: "forget" },
    "the candidate's tag",
    NO_CANDIDATE,
    LATER,
  ],
  ["the candidate's tag is never shown", { kind: "stale" }, "the read of the candidate", NO_CANDIDATE, LATER],
  ["manifests are rewritten", { kind: "rewrite" }, "a variant's manifest", REWRITTEN, DIRECTLY],
  ["the candidate's tag is rewritten", { kind: "rewrite" }, "the candidate's tag", REWRITTEN, DIRECTLY],
  [
    "the candidate's tag is rewritten in silence",
    { kind: "rewrite", silent: true },
    "the candidate's tag",
    /it is sha256:\w+, expected sha256:/,
    /One digest in every registry/,
  ],
];

const AFTER_THE_GATE: readonly Lasting[] = [
  ["nothing listens any more", { kind: "down" }, "the version's tag", REFUSED, START],
  ["401 for the version's tag", UNAUTHORIZED, "the version's tag", NOT_ACCEPTED, LOGIN],
  ["403 for the version's tag", DENIED, "the version's tag", NO_ACCESS, LOGIN],
  ["403 for latest", DENIED, "the tag latest", NO_ACCESS, LOGIN],
  ["429 for ever", BUSY, "the version's tag", TOO_MANY, LATER],
  ["429 with Retry-After for ever", BUSY_FOR_SECONDS, "the version's tag", TOO_MANY, LATER],
  ["503 for latest", MAINTENANCE, "the tag latest", /status 503.*maintenance/, LATER],
  ["the version's tag breaks off", { kind: "reset", afterBytes: 150 }, "the version's tag", BROKEN, LATER],
  ["the version's tag is never answered", { kind: "hang" }, "the version's tag", NO_ANSWER, LATER],
  ["the version's tag is accepted and not kept", { kind: "forget" }, "the version's tag", NOT_THERE, LATER],
  ["latest is accepted and not kept", { kind: "forget" }, "the tag latest", NOT_THERE, LATER],
  ["the version's tag is never shown", { kind: "stale" }, "the read of the version's tag", NOT_THERE, LATER],
  ["latest is never shown", { kind: "stale" }, "the read of latest", NOT_THERE, LATER],
];

/** What the report says of the service in the registry that fails. */
function problemsOf({ released }: Outcome): Problem[] {
  const report = released.services.find(({ service }) => service === FAULTY.service);
  const row = report?.registries.find(({ registry }) => registry === FAULTY.registry);
  const tags = report?.tags?.filter(({ registry }) => registry === FAULTY.registry) ?? [];
  return [...(row?.problems ?? []), ...tags.flatMap(({ problem }) => problem ?? [])];
}

/** The same command, with the fault gone. */
async function expectFinished(harness: ReleaseHarness): Promise<void> {
  await harness.mend();
  totals.finished += 1;
  await expectComplete(harness, await harness.release());
  expectEachMadeOnce(harness);
}

async function expectFailure([, fault, at, what, remedy]: Lasting): Promise<{
  harness: ReleaseHarness;
  outcome: Outcome;
}> {
  const harness = await registries.harness();
  harness.fail(fault, at);
  const outcome = await harness.release(fault.kind === "hang" ? { timeoutMs: 300 } : {});
  totals.failed += 1;
  totals.faults += harness.struck();
  expect(outcome.ok, outcome.said).toBe(false);
  expect(problemsOf(outcome)).toContainEqual(
    expect.objectContaining({
      what: expect.stringMatching(what) as string,
      remedy: expect.stringMatching(remedy) as string,
      where: expect.stringContaining(harness.place(FAULTY.registry, FAULTY.service)) as string,
    }),
  );
  // Nobody is kept waiting longer than a registry may ask for.
  expect(Math.max(0, ...outcome.waits)).toBeLessThanOrEqual(10 * 60_000);
  return { harness, outcome };
}

describe("A registry that fails for good before the gate keeps it closed, and the same command finishes:", () => {
  it.each(BEFORE_THE_GATE)("%s", async (...lasting) => {
    const { harness, outcome } = await expectFailure(lasting);
    expect(outcome.released.gate).toMatchObject({
      open: false,
      reasons: expect.arrayContaining([
        expect.objectContaining({ service: FAULTY.service, registry: FAULTY.registry }),
      ]) as unknown,
    });
    expect(await harness.released()).toEqual([]);
    await expectFinished(harness);
  });
});

describe("A registry that fails for good after the gate leaves latest behind, and the same command finishes:", () => {
  it.each(AFTER_THE_GATE)("%s", async (...lasting) => {
    const { harness, outcome } = await expectFailure(lasting);
    expect(outcome.released.gate.open).toBe(true);
    await expectNoLatestAhead(harness);
    await expectFinished(harness);
  });
});
