import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Fault } from "@tgo/testbed";
import type { Problem } from "@tgo/report";
import { expectComplete, expectEachMadeOnce } from "./expectations.js";
import { FAULTY, NAMES, Registries, SERVICES, type Outcome, type Point, type Scene } from "./scene.js";

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

interface Lasting {
  readonly told: string;
  readonly fault: Fault;
  readonly at: Point;
  /** Of the problem that the report has: what, and what to do. */
  readonly what: RegExp;
  readonly remedy: RegExp;
}

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
const DENIED = answer(403, "DENIED", "requested access to the resource is denied");
const UNAUTHORIZED = answer(401, "UNAUTHORIZED", "authentication required");
const BUSY = answer(429, "TOOMANYREQUESTS", "slow down");
const BUSY_AN_HOUR = answer(429, "TOOMANYREQUESTS", "slow down", { "retry-after": "3600" });
const LATER = /same command again/;

const BEFORE_THE_GATE: readonly Lasting[] = [
  {
    told: "nothing listens",
    fault: { kind: "down" },
    at: "every request",
    what: /connection refused/,
    remedy: /Start the registry/,
  },
  {
    told: "nothing listens any more",
    fault: { kind: "down" },
    at: "a layer",
    what: /connection refused/,
    remedy: /Start the registry/,
  },
  {
    told: "connections are closed",
    fault: { kind: "refuse" },
    at: "every write",
    what: /connection (reset|closed)/,
    remedy: LATER,
  },
  {
    told: "layers break off",
    fault: { kind: "reset", afterBytes: 100_000 },
    at: "a layer",
    what: /connection (reset|closed)/,
    remedy: LATER,
  },
  {
    told: "manifests break off",
    fault: { kind: "reset", afterBytes: 150 },
    at: "a variant's manifest",
    what: /connection (reset|closed)/,
    remedy: LATER,
  },
  {
    told: "401 for a layer",
    fault: UNAUTHORIZED,
    at: "a layer",
    what: /does not accept these credentials/,
    remedy: /docker login/,
  },
  {
    told: "401 for the candidate's tag",
    fault: UNAUTHORIZED,
    at: "the candidate's tag",
    what: /does not accept these credentials/,
    remedy: /docker login/,
  },
  {
    told: "403 for a layer",
    fault: DENIED,
    at: "the start of an upload",
    what: /these credentials have no access/,
    remedy: /docker login/,
  },
  {
    told: "403 for the candidate's tag",
    fault: DENIED,
    at: "the candidate's tag",
    what: /these credentials have no access/,
    remedy: /docker login/,
  },
  { told: "429 for ever", fault: BUSY, at: "a layer", what: /too many requests: .*slow down/, remedy: LATER },
  {
    told: "429 for an hour, for a layer",
    fault: BUSY_AN_HOUR,
    at: "a layer",
    what: /too many requests: .*slow down/,
    remedy: /asks to wait 60 min: run the same command again after that/,
  },
  {
    told: "429 for an hour, for a manifest",
    fault: BUSY_AN_HOUR,
    at: "a variant's manifest",
    what: /too many requests: .*slow down/,
    remedy: /asks to wait 60 min: run the same command again after that/,
  },
  {
    told: "500 for a layer",
    fault: answer(500, "UNKNOWN", "disk full"),
    at: "a layer",
    what: /status 500.*disk full/,
    remedy: LATER,
  },
  {
    told: "502 for a manifest",
    fault: {
      kind: "answer",
      status: 502,
      headers: { "content-type": "text/html" },
      body: "<html>Bad Gateway</html>",
    },
    at: "a variant's manifest",
    what: /status 502/,
    remedy: LATER,
  },
  {
    told: "503 for everything",
    fault: answer(503, "UNAVAILABLE", "maintenance"),
    at: "every request",
    what: /status 503.*(maintenance|empty)/,
    remedy: LATER,
  },
  {
    told: "layers are never answered",
    fault: { kind: "hang" },
    at: "a layer",
    what: /no answer for/,
    remedy: LATER,
  },
  {
    told: "nothing is ever answered",
    fault: { kind: "hang" },
    at: "every request",
    what: /no answer for/,
    remedy: LATER,
  },
  {
    told: "layers are accepted and not kept",
    fault: { kind: "forget" },
    at: "a layer",
    what: /names content that the repository does not hold/,
    remedy: LATER,
  },
  {
    told: "layers are accepted and never shown",
    fault: answer(404, "BLOB_UNKNOWN", "blob unknown to registry"),
    at: "the look for a layer",
    what: /linux\/amd64 cannot be pulled whole: sha256:\w+ is not in the repository/,
    remedy: /Publish again/,
  },
  {
    told: "manifests are accepted and not kept",
    fault: { kind: "forget" },
    at: "a variant's manifest",
    what: /names content that the repository does not hold/,
    remedy: LATER,
  },
  {
    told: "the candidate's tag is accepted and not kept",
    fault: { kind: "forget" },
    at: "the candidate's tag",
    what: /took what was pushed, and there is no tag "candidate-/,
    remedy: LATER,
  },
  {
    told: "the candidate's tag is never shown",
    fault: { kind: "stale" },
    at: "the read of the candidate",
    what: /took what was pushed, and there is no tag "candidate-/,
    remedy: LATER,
  },
  {
    told: "manifests are rewritten",
    fault: { kind: "rewrite" },
    at: "a variant's manifest",
    what: /stored the manifest under sha256:/,
    remedy: /rewrites manifests. Push to it directly/,
  },
  {
    told: "the candidate's tag is rewritten",
    fault: { kind: "rewrite" },
    at: "the candidate's tag",
    what: /stored the manifest under sha256:/,
    remedy: /rewrites manifests. Push to it directly/,
  },
  {
    told: "the candidate's tag is rewritten in silence",
    fault: { kind: "rewrite", silent: true },
    at: "the candidate's tag",
    what: /it is sha256:\w+, expected sha256:/,
    remedy: /One digest in every registry/,
  },
];

const AFTER_THE_GATE: readonly Lasting[] = [
  {
    told: "nothing listens any more",
    fault: { kind: "down" },
    at: "the version's tag",
    what: /connection refused/,
    remedy: /Start the registry/,
  },
  {
    told: "401 for the version's tag",
    fault: UNAUTHORIZED,
    at: "the version's tag",
    what: /does not accept these credentials/,
    remedy: /docker login/,
  },
  {
    told: "403 for the version's tag",
    fault: DENIED,
    at: "the version's tag",
    what: /these credentials have no access/,
    remedy: /docker login/,
  },
  {
    told: "403 for latest",
    fault: DENIED,
    at: "the tag latest",
    what: /these credentials have no access/,
    remedy: /docker login/,
  },
  {
    told: "429 for ever",
    fault: BUSY,
    at: "the version's tag",
    what: /too many requests: .*slow down/,
    remedy: LATER,
  },
  {
    told: "503 for latest",
    fault: answer(503, "UNAVAILABLE", "maintenance"),
    at: "the tag latest",
    what: /status 503.*maintenance/,
    remedy: LATER,
  },
  {
    told: "the version's tag breaks off",
    fault: { kind: "reset", afterBytes: 150 },
    at: "the version's tag",
    what: /connection (reset|closed)/,
    remedy: LATER,
  },
  {
    told: "the version's tag is never answered",
    fault: { kind: "hang" },
    at: "the version's tag",
    what: /no answer for/,
    remedy: LATER,
  },
  {
    told: "the version's tag is accepted and not kept",
    fault: { kind: "forget" },
    at: "the version's tag",
    what: /took the tag for 1\.2\.3, and it is not there/,
    remedy: LATER,
  },
  {
    told: "latest is accepted and not kept",
    fault: { kind: "forget" },
    at: "the tag latest",
    what: /took the tag for 1\.2\.3, and it is not there/,
    remedy: LATER,
  },
  {
    told: "the version's tag is never shown",
    fault: { kind: "stale" },
    at: "the read of the version's tag",
    what: /took the tag for 1\.2\.3, and it is not there/,
    remedy: LATER,
  },
  {
    told: "latest is never shown",
    fault: { kind: "stale" },
    at: "the read of latest",
    what: /took the tag for 1\.2\.3, and it is not there/,
    remedy: LATER,
  },
];

/** What the report says of the service in the registry that fails. */
function problemsOf({ released }: Outcome): Problem[] {
  const report = released.services.find(({ service }) => service === FAULTY.service);
  const row = report?.registries.find(({ registry }) => registry === FAULTY.registry);
  const tags = report?.tags?.filter(({ registry }) => registry === FAULTY.registry) ?? [];
  return [...(row?.problems ?? []), ...tags.flatMap(({ problem }) => problem ?? [])];
}

/** The same command, with the fault gone. */
async function expectFinished(scene: Scene): Promise<void> {
  await scene.mend();
  totals.finished += 1;
  await expectComplete(scene, await scene.release());
  expectEachMadeOnce(scene);
}

async function expectFailure({
  fault,
  at,
  what,
  remedy,
}: Lasting): Promise<{ scene: Scene; outcome: Outcome }> {
  const scene = await registries.scene();
  scene.fail(fault, at);
  const outcome = await scene.release({ timeoutMs: fault.kind === "hang" ? 300 : undefined });
  totals.failed += 1;
  totals.faults += scene.struck();
  expect(outcome.ok, outcome.said).toBe(false);
  expect(problemsOf(outcome)).toContainEqual(
    expect.objectContaining({
      what: expect.stringMatching(what) as string,
      remedy: expect.stringMatching(remedy) as string,
      where: expect.stringContaining(scene.place(FAULTY.registry, FAULTY.service)) as string,
    }),
  );
  // Nobody is kept waiting longer than a registry may ask for.
  expect(Math.max(0, ...outcome.waits)).toBeLessThanOrEqual(10 * 60_000);
  return { scene, outcome };
}

describe("A registry that fails for good before the gate keeps it closed, and the same command finishes:", () => {
  it.each(BEFORE_THE_GATE)("$told", async (lasting) => {
    const { scene, outcome } = await expectFailure(lasting);
    expect(outcome.released.gate).toMatchObject({
      open: false,
      reasons: expect.arrayContaining([
        expect.objectContaining({ service: FAULTY.service, registry: FAULTY.registry }),
      ]) as unknown,
    });
    expect(await scene.released()).toEqual([]);
    await expectFinished(scene);
  });
});

describe("A registry that fails for good after the gate leaves latest behind, and the same command finishes:", () => {
  it.each(AFTER_THE_GATE)("$told", async (lasting) => {
    const { scene, outcome } = await expectFailure(lasting);
    expect(outcome.released.gate.open).toBe(true);
    const released = await scene.released();
    // What is out is 1.2.3, and latest only where the version is out everywhere.
    for (const service of SERVICES) {
      const versions = NAMES.filter((name) => released.includes(`${name} ${service} 1.2.3`));
      if (versions.length < NAMES.length)
        expect(released.filter((tag) => tag.endsWith(`${service} latest`))).toEqual([]);
    }
    await expectFinished(scene);
  });
});
