import { describe, expect, it } from "vitest";
import { formatReasons } from "@tgo/release-rules";
import { type FakeRequest, errorResponse } from "@tgo/testing";
import { candidateTag } from "../../src/candidate/candidate-key.js";
import { publishCandidate } from "../../src/publish/publish.js";
import type { Released } from "../../src/release/release-result.js";
import type { TargetContext } from "../../src/targets/publish-context.js";
import { MemoryHarness, REQUIRED } from "./memory-harness.js";
import { NAMES, SERVICES, type RegistryName } from "./release-subjects.js";

/** Makes a registry hang at matching requests until it is resumed. */
function hang(
  harness: MemoryHarness,
  name: RegistryName,
  matches: (request: FakeRequest) => boolean = () => true,
): { readonly waiting: () => number; readonly resume: () => void } {
  const waiting: (() => void)[] = [];
  let resumed = false;
  harness.registries[name].intercept = (request) =>
    resumed || !matches(request)
      ? undefined
      : new Promise((resolve) => {
          waiting.push(() => {
            resolve(undefined);
          });
        });
  return {
    waiting: () => waiting.length,
    resume: () => {
      resumed = true;
      for (const respond of waiting) respond();
    },
  };
}

async function eventually(isTrue: () => boolean): Promise<void> {
  for (let wait = 0; !isTrue(); wait += 1) {
    if (wait > 500) throw new Error("the condition never became true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const withoutLimit = (harness: MemoryHarness): TargetContext => ({
  ...harness.context(),
  optionalLimitMs: 60_000,
});

const tagged = (harness: MemoryHarness, tag: string, ...names: RegistryName[]): boolean =>
  names.every((name) => SERVICES.every((service) => harness.digestAt(name, service, tag) !== undefined));

const isRead = ({ method }: FakeRequest): boolean => method === "GET" || method === "HEAD";
const isBlob = ({ url }: FakeRequest): boolean => url.pathname.includes("/blobs/");
const isManifestWrite = ({ method, url }: FakeRequest): boolean =>
  method === "PUT" && url.pathname.includes("/manifests/");

describe("An optional registry", () => {
  it.each([
    ["never responds", () => true],
    ["responds to no read", isRead],
    ["accepts no layer", isBlob],
    ["accepts no manifest", isManifestWrite],
    [
      "accepts no version tag",
      (request: FakeRequest) => isManifestWrite(request) && request.url.pathname.endsWith("/1.2.3"),
    ],
    ["lists no tags", ({ url }: FakeRequest) => url.pathname.endsWith("/tags/list")],
  ] as const)(
    "that hangs and %s does not hold up the others, and is complete after it resumes",
    async (_, matches) => {
      const harness = new MemoryHarness({ gracePeriodMs: 20 });
      const acr = hang(harness, "acr", matches);
      const released = harness.release("1.2.3");
      await eventually(() => tagged(harness, "latest", "ghcr", "dockerhub") && acr.waiting() > 0);
      expect(harness.digestAt("acr", "tgo-api", "latest")).toBeUndefined();
      acr.resume();
      expect((await released).ok).toBe(true);
      expect(tagged(harness, "latest", ...NAMES)).toBe(true);
      expect((await released).gate).toMatchObject({ open: true, later: [] });
    },
  );

  it("that hangs does not delay the report of a failure in the others", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 20 });
    const acr = hang(harness, "acr");
    harness.registries.ghcr.intercept = () => errorResponse(403, "DENIED", "no");
    const released = await harness.release("1.2.3");
    expect(acr.waiting()).toBeGreaterThan(0);
    expect([released.ok, released.gate.open]).toEqual([false, false]);
    const rows = released.services.map(({ registries }) => registries.map(({ state }) => state));
    expect(rows).toEqual(SERVICES.map(() => ["failed", "not started", "not started"]));
    acr.resume();
  });

  const rowsOf = ({ services }: Released): (readonly [string, string | undefined])[] =>
    services.flatMap(({ registries }) =>
      registries
        .filter(({ registry }) => registry === "acr")
        .map(({ state, problems }) => [state, problems[0]?.what] as const),
    );

  it("that never responds is given up, and the others are released", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 20, optionalLimitMs: 100 });
    const acr = hang(harness, "acr");
    const released = await harness.release("1.2.3");
    expect([released.ok, released.gate.open]).toEqual([false, true]);
    expect(released.services.map(({ state }) => state)).toEqual(["released", "released"]);
    expect(tagged(harness, "latest", "ghcr", "dockerhub")).toBe(true);
    const what = "the registry did not get the candidate within 0.1 s and was given up";
    expect(rowsOf(released)).toEqual(SERVICES.map(() => ["failed", what]));
    expect(formatReasons(released.gate.later)).toContain(`tgo-api in acr: the candidate failed: ${what}`);
    acr.resume();
    expect((await harness.release("1.2.3", {}, withoutLimit(harness))).ok).toBe(true);
  });

  it("that hangs at a version tag is given up, and keeps its candidates", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 20, optionalLimitMs: 2000 });
    const acr = hang(
      harness,
      "acr",
      (request) => isManifestWrite(request) && request.url.pathname.endsWith("/tgo-web/manifests/1.2.3"),
    );
    const released = await harness.release("1.2.3");
    expect([released.ok, released.gate.open]).toEqual([false, true]);
    expect(tagged(harness, "latest", "ghcr", "dockerhub")).toBe(true);
    const what = "the registry did not get all tags within 2.0 s and was given up";
    expect(rowsOf(released)).toEqual(SERVICES.map(() => ["failed", what]));
    expect(harness.digestAt("acr", "tgo-web", "latest")).toBeUndefined();
    acr.resume();
    expect((await harness.release("1.2.3", {}, withoutLimit(harness))).ok).toBe(true);
    expect(harness.built).toHaveLength(2);
  });

  it("that hangs is given up by publish too", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 20, optionalLimitMs: 100 });
    const acr = hang(harness, "acr");
    const report = await publishCandidate(harness.context(), harness.candidate("tgo-api", "1.2.3"));
    expect([report.state, report.registries.map(({ state }) => state)]).toEqual([
      "failed",
      ["done", "done", "failed"],
    ]);
    expect(report.registries[2]?.problems).toMatchObject([
      { code: "UNAVAILABLE", what: expect.stringContaining("was given up") as string },
    ]);
    acr.resume();
  });

  it("follows the others in a promotion too", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 20 });
    await harness.release("1.2.2");
    await harness.release("1.2.3");
    const acr = hang(harness, "acr");
    const promoted = harness.promote("1.2.2", { allowBackwards: true });
    await eventually(
      () =>
        harness.digestAt("dockerhub", "tgo-web", "latest") ===
        harness.digestAt("dockerhub", "tgo-web", "1.2.2"),
    );
    expect(harness.digestAt("acr", "tgo-web", "latest")).toBe(harness.digestAt("acr", "tgo-web", "1.2.3"));
    acr.resume();
    expect((await promoted).ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.2"));
  });

  it("gets candidates and tags only after the required ones are finished, however fast it is", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 20 });
    const hub = hang(
      harness,
      "dockerhub",
      (request) => isManifestWrite(request) && request.url.pathname.endsWith("/tgo-web/manifests/1.2.3"),
    );
    const released = harness.release("1.2.3");
    await eventually(() => tagged(harness, "1.2.3", "ghcr") && hub.waiting() > 0);
    for (const service of SERVICES) {
      const { key } = harness.candidate(service, "1.2.3");
      for (const tag of [candidateTag(key), "1.2.3"])
        expect(harness.digestAt("acr", service, tag)).toBeUndefined();
    }
    for (const name of NAMES) expect(harness.digestAt(name, "tgo-api", "1.2")).toBeUndefined();
    hub.resume();
    expect((await released).ok).toBe(true);
    expect(tagged(harness, "latest", ...NAMES)).toBe(true);
  });

  it("gets no latest while one of its own version tags is missing", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 20 });
    harness.registries.acr.intercept = (request) =>
      isManifestWrite(request) && request.url.pathname.endsWith("/tgo-web/manifests/1.2.3")
        ? errorResponse(403, "DENIED", "no")
        : undefined;
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    expect(tagged(harness, "latest", "ghcr", "dockerhub")).toBe(true);
    expect(harness.digestAt("acr", "tgo-api", "1.2.3")).toBeDefined();
    expect(harness.digestAt("acr", "tgo-api", "latest")).toBeUndefined();
    const tags = released.services.flatMap(({ service, tags = [] }) =>
      tags.map((tag) => ({ service, ...tag })),
    );
    expect(tags.filter(({ state }) => state === "failed")).toMatchObject([
      { service: "tgo-web", registry: "acr", tag: "1.2.3", problem: { code: "DENIED" } },
    ]);
  });

  it("gets no tag for an image that failed verification there", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 20 });
    // It confirms a layer that it does not store.
    harness.registries.acr.intercept = ({ method, url }) => {
      if (method !== "PUT" || !/tgo-api\/blobs\/upload/.test(url.pathname)) return undefined;
      return new Response(null, { status: 201 });
    };
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    expect(harness.digestAt("acr", "tgo-api", "1.2.3")).toBeUndefined();
    expect(tagged(harness, "latest", "ghcr", "dockerhub")).toBe(true);
    expect(released.gate.later).toMatchObject([
      { kind: "candidate failed", service: "tgo-api", registry: "acr" },
    ]);
    harness.registries.acr.intercept = () => undefined;
    expect((await harness.release("1.2.3")).ok).toBe(true);
    expect(harness.built).toHaveLength(2);
  });

  it("that has another image under this version closes the gate, unless the version is already released", async () => {
    const takeVersion = async (harness: MemoryHarness): Promise<void> => {
      for (const service of SERVICES) {
        const { index, digest } = await harness.image(service, "1.2.3", "from another source");
        for (const name of ["1.2.3", digest])
          harness.registries.acr.manifests.set(`tgoai/${service} ${name}`, index);
      }
    };
    const before = new MemoryHarness();
    await takeVersion(before);
    const refused = await before.release("1.2.3");
    expect([refused.ok, refused.gate.open]).toEqual([false, false]);
    expect(JSON.stringify(refused.gate)).toContain("in acr: 1.2.3 already exists");
    expect(before.digestAt("ghcr", "tgo-api", "1.2.3")).toBeUndefined();

    const after = new MemoryHarness();
    after.registries.acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
    await after.release("1.2.3");
    await takeVersion(after);
    for (const service of SERVICES) after.registries.dockerhub.manifests.delete(`tgoai/${service} latest`);
    after.registries.acr.intercept = () => undefined;
    const finished = await after.release("1.2.3");
    expect([finished.ok, finished.gate.open]).toEqual([false, true]);
    expect(tagged(after, "latest", "ghcr", "dockerhub")).toBe(true);
    expect(JSON.stringify(finished.gate.later)).toContain("in acr: 1.2.3 already exists");
    expect(after.digestAt("acr", "tgo-api", "latest")).toBeUndefined();
  });

  it("provides what only it has to the others, if it responds in time", async () => {
    const harness = new MemoryHarness({ gracePeriodMs: 2000 });
    await harness.release("1.2.3");
    const { ghcr, dockerhub } = harness.registries;
    for (const { blobs, manifests } of [ghcr, dockerhub]) {
      blobs.clear();
      manifests.clear();
    }
    expect((await harness.release("1.2.3")).ok).toBe(true);
    expect(harness.built).toHaveLength(2);
  });
});

describe("One slow registry, required or optional,", () => {
  it.each(NAMES)("does not hold up the candidates of the required ones: %s", async (name) => {
    const harness = new MemoryHarness({ gracePeriodMs: 20 });
    const slow = hang(harness, name, isBlob);
    const published = Promise.all(
      SERVICES.map((service) => publishCandidate(harness.context(), harness.candidate(service, "1.2.3"))),
    );
    const others = NAMES.filter((other) => other !== name && REQUIRED[other]);
    const candidate = (service: string): string => `candidate-${harness.candidate(service, "1.2.3").key}`;
    await eventually(() =>
      others.every((other) =>
        SERVICES.every((service) => harness.digestAt(other, service, candidate(service)) !== undefined),
      ),
    );
    await eventually(() => slow.waiting() > 0);
    expect(SERVICES.map((service) => harness.digestAt(name, service, candidate(service)))).toEqual([
      undefined,
      undefined,
    ]);
    slow.resume();
    expect((await published).map(({ state }) => state)).toEqual(["published", "published"]);
  });
});

describe("A required registry", () => {
  it.each([
    ["accepts no layer", isBlob],
    ["accepts no manifest", isManifestWrite],
  ] as const)(
    "that hangs and %s does not hold up candidates in the other required ones; tags and the optional one wait for it",
    async (_, matches) => {
      const harness = new MemoryHarness({ gracePeriodMs: 20 });
      const hub = hang(harness, "dockerhub", matches);
      const released = harness.release("1.2.3");
      const candidates = SERVICES.map((service) => ({
        service,
        tag: candidateTag(harness.candidate(service, "1.2.3").key),
      }));
      const has = (name: RegistryName): boolean =>
        candidates.every(({ service, tag }) => harness.digestAt(name, service, tag) !== undefined);
      await eventually(() => has("ghcr") && hub.waiting() > 0);
      expect([has("dockerhub"), has("acr")]).toEqual([false, false]);
      expect(harness.everywhere("1.2.3").filter((digest) => digest !== undefined)).toEqual([]);
      hub.resume();
      expect((await released).ok).toBe(true);
      expect(tagged(harness, "latest", ...NAMES)).toBe(true);
    },
  );
});
