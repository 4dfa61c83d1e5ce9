import type { Problem } from "@tgo/errors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "@tgo/testing";
import { expectComplete, expectEachBuiltOnce, expectNoLatestAhead } from "./expectations.js";
import { FAULTY } from "./release-subjects.js";
import type { RequestKind } from "./request-kinds.js";
import { RealRegistries } from "./real-registries.js";
import { ReleaseHarness, type Outcome } from "./release-harness.js";

let registries: RealRegistries;
const totals = { failed: 0, faults: 0, finished: 0 };

beforeAll(async () => {
  registries = await RealRegistries.start();
});
afterAll(async () => {
  await registries.stop();
  console.log(
    `release: ${totals.failed} runs failed with ${totals.faults} lasting faults and reported them, ` +
      `${totals.finished} were finished by the same command`,
  );
});

/** A lasting fault, and the problem and remedy in the report. */
type LastingFault = readonly [title: string, fault: Fault, kind: RequestKind, what: RegExp, remedy: RegExp];

const response = (
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
const MAINTENANCE = response(503, "UNAVAILABLE", "maintenance");
const BAD_GATEWAY: Fault = {
  kind: "answer",
  status: 502,
  headers: { "content-type": "text/html" },
  body: "<html>Bad Gateway</html>",
};
const DENIED = response(403, "DENIED", "requested access to the resource is denied");
const UNAUTHORIZED = response(401, "UNAUTHORIZED", "authentication required");
const BUSY = response(429, "TOOMANYREQUESTS", "slow down");
const BUSY_FOR_SECONDS = response(429, "TOOMANYREQUESTS", "slow down", { "retry-after": "7" });
const BUSY_AN_HOUR = response(429, "TOOMANYREQUESTS", "slow down", { "retry-after": "3600" });

const BROKEN = /connection (reset|closed)/;
const REFUSED = /connection refused/;
const REJECTED = /rejects these credentials/;
const NO_ACCESS = /these credentials have no access/;
const TOO_MANY = /too many requests: .*slow down/;
const NO_RESPONSE = /no response for/;
const REWRITTEN = /stored the manifest under sha256:/;
const CONTENT_MISSING = /refers to content that is not in the repository/;
const NO_CANDIDATE = /accepted the push, but there is no tag "candidate-/;
const TAG_MISSING = /accepted the tag for 1\.2\.3, but the tag is missing/;

const RUN_AGAIN = /same command again/;
const WAIT_AN_HOUR = /asks for 60 min: wait that long, then run the same command again/;
const START = /Start the registry/;
const LOGIN = /docker login/;
const ACCESS = /The login itself is accepted: .* may write to it/;
const DIRECTLY = /rewrites manifests. Push to it directly/;

const BEFORE_THE_GATE: readonly LastingFault[] = [
  ["nothing listens", { kind: "down" }, "any request", REFUSED, START],
  ["the registry stops listening", { kind: "down" }, "layer upload", REFUSED, START],
  ["connections are closed", { kind: "refuse" }, "any write", BROKEN, RUN_AGAIN],
  ["layers break off", { kind: "reset", afterBytes: 100_000 }, "layer upload", BROKEN, RUN_AGAIN],
  ["manifests break off", { kind: "reset", afterBytes: 150 }, "variant write", BROKEN, RUN_AGAIN],
  ["401 for a layer", UNAUTHORIZED, "layer upload", REJECTED, LOGIN],
  ["401 for the candidate's tag", UNAUTHORIZED, "candidate write", REJECTED, LOGIN],
  ["403 for a layer", DENIED, "upload start", NO_ACCESS, ACCESS],
  ["403 for the candidate's tag", DENIED, "candidate write", NO_ACCESS, ACCESS],
  ["429 for a layer", BUSY, "layer upload", TOO_MANY, RUN_AGAIN],
  ["429 with Retry-After: 3600 for a layer", BUSY_AN_HOUR, "layer upload", TOO_MANY, WAIT_AN_HOUR],
  ["429 with Retry-After: 3600 for a manifest", BUSY_AN_HOUR, "variant write", TOO_MANY, WAIT_AN_HOUR],
  [
    "500 for a layer",
    response(500, "UNKNOWN", "disk full"),
    "layer upload",
    /status 500.*disk full/,
    RUN_AGAIN,
  ],
  ["502 for a manifest", BAD_GATEWAY, "variant write", /status 502/, RUN_AGAIN],
  ["503 for everything", MAINTENANCE, "any request", /status 503.*(maintenance|empty)/, RUN_AGAIN],
  ["layer uploads hang", { kind: "hang" }, "layer upload", NO_RESPONSE, RUN_AGAIN],
  ["every request hangs", { kind: "hang" }, "any request", NO_RESPONSE, RUN_AGAIN],
  ["layers are accepted but not stored", { kind: "forget" }, "layer upload", CONTENT_MISSING, RUN_AGAIN],
  [
    "layers are accepted but never found",
    response(404, "BLOB_UNKNOWN", "blob unknown to registry"),
    "layer check",
    /linux\/amd64 is incomplete: sha256:\w+ is not in the repository/,
    /Publish again/,
  ],
  ["manifests are accepted but not stored", { kind: "forget" }, "variant write", CONTENT_MISSING, RUN_AGAIN],
  [
    "the candidate's tag is accepted but not stored",
    { kind: "forget" },
    "candidate write",
    NO_CANDIDATE,
    RUN_AGAIN,
  ],
  ["the candidate's tag is never visible", { kind: "stale" }, "candidate read", NO_CANDIDATE, RUN_AGAIN],
  ["manifests are rewritten", { kind: "rewrite" }, "variant write", REWRITTEN, DIRECTLY],
  ["the candidate's tag is rewritten", { kind: "rewrite" }, "candidate write", REWRITTEN, DIRECTLY],
  [
    "the candidate's tag is rewritten silently",
    { kind: "rewrite", silent: true },
    "candidate write",
    /it is sha256:\w+, expected sha256:/,
    /Every registry must have the same digest/,
  ],
];

const AFTER_THE_GATE: readonly LastingFault[] = [
  ["the registry stops listening", { kind: "down" }, "version write", REFUSED, START],
  ["401 for the version's tag", UNAUTHORIZED, "version write", REJECTED, LOGIN],
  ["403 for the version's tag", DENIED, "version write", NO_ACCESS, ACCESS],
  ["403 for latest", DENIED, "latest write", NO_ACCESS, ACCESS],
  ["429 for the version's tag", BUSY, "version write", TOO_MANY, RUN_AGAIN],
  ["429 with Retry-After: 7 for the version's tag", BUSY_FOR_SECONDS, "version write", TOO_MANY, RUN_AGAIN],
  ["503 for latest", MAINTENANCE, "latest write", /status 503.*maintenance/, RUN_AGAIN],
  ["the version's tag breaks off", { kind: "reset", afterBytes: 150 }, "version write", BROKEN, RUN_AGAIN],
  ["the version's tag hangs", { kind: "hang" }, "version write", NO_RESPONSE, RUN_AGAIN],
  [
    "the version's tag is accepted but not stored",
    { kind: "forget" },
    "version write",
    TAG_MISSING,
    RUN_AGAIN,
  ],
  ["latest is accepted but not stored", { kind: "forget" }, "latest write", TAG_MISSING, RUN_AGAIN],
  ["the version's tag is never visible", { kind: "stale" }, "version read", TAG_MISSING, RUN_AGAIN],
  ["latest is never visible", { kind: "stale" }, "latest read", TAG_MISSING, RUN_AGAIN],
];

/** The problems reported for the service in the failing registry. */
function problemsOf({ released }: Outcome): Problem[] {
  const report = released.services.find(({ service }) => service === FAULTY.service);
  const row = report?.registries.find(({ registry }) => registry === FAULTY.registry);
  const tags = report?.tags?.filter(({ registry }) => registry === FAULTY.registry) ?? [];
  return [...(row?.problems ?? []), ...tags.flatMap(({ problem }) => problem ?? [])];
}

/** The same command finishes the release without the fault. */
async function expectFinished(harness: ReleaseHarness): Promise<void> {
  await harness.repair();
  totals.finished += 1;
  await expectComplete(harness, await harness.release());
  expectEachBuiltOnce(harness);
}

async function expectFailure([, fault, kind, what, remedy]: LastingFault): Promise<{
  harness: ReleaseHarness;
  outcome: Outcome;
}> {
  const harness = await ReleaseHarness.create(registries);
  harness.fail(fault, kind);
  const outcome = await harness.release(fault.kind === "hang" ? { timeoutMs: 300 } : {});
  totals.failed += 1;
  totals.faults += harness.faultCount();
  expect(outcome.ok, outcome.text).toBe(false);
  expect(problemsOf(outcome)).toContainEqual(
    expect.objectContaining({
      what: expect.stringMatching(what) as string,
      remedy: expect.stringMatching(remedy) as string,
      where: expect.stringContaining(harness.repository(FAULTY.registry, FAULTY.service)) as string,
    }),
  );
  // No wait is longer than a registry may ask for.
  expect(Math.max(0, ...outcome.waits)).toBeLessThanOrEqual(10 * 60_000);
  return { harness, outcome };
}

describe("A lasting fault before the gate keeps it closed, and the same command finishes the release:", () => {
  it.each(BEFORE_THE_GATE)("%s", async (...fault) => {
    const { harness, outcome } = await expectFailure(fault);
    expect(outcome.released.gate).toMatchObject({
      open: false,
      reasons: expect.arrayContaining([
        expect.objectContaining({ service: FAULTY.service, registry: FAULTY.registry }),
      ]) as unknown,
    });
    expect(await harness.publicTags()).toEqual([]);
    await expectFinished(harness);
  });
});

describe("A lasting fault after the gate leaves latest behind, and the same command finishes the release:", () => {
  it.each(AFTER_THE_GATE)("%s", async (...fault) => {
    const { harness, outcome } = await expectFailure(fault);
    expect(outcome.released.gate.open).toBe(true);
    await expectNoLatestAhead(harness);
    await expectFinished(harness);
  });
});
