import { describe, expect, it } from "vitest";
import { type FakeRequest, errorResponse } from "@tgo/testing";
import { candidateTag } from "../../src/candidate/candidate-key.js";
import { publishCandidate } from "../../src/publish/publish.js";
import { MemoryHarness, NAMES, REGISTRIES, SERVICES, type RegistryName } from "./memory-harness.js";

/** Lets a registry hang, for the requests that match, until it is let go. */
function hang(
  harness: MemoryHarness,
  name: RegistryName,
  matches: (asked: FakeRequest) => boolean = () => true,
): { readonly held: () => number; readonly letGo: () => void } {
  const waiting: (() => void)[] = [];
  let open = false;
  harness.registries[name].intercept = (asked) =>
    open || !matches(asked)
      ? undefined
      : new Promise((resolve) => {
          waiting.push(() => {
            resolve(undefined);
          });
        });
  return {
    held: () => waiting.length,
    letGo: () => {
      open = true;
      for (const go of waiting) go();
    },
  };
}

async function eventually(holds: () => boolean): Promise<void> {
  for (let wait = 0; !holds(); wait += 1) {
    if (wait > 500) throw new Error("it never came to hold");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const tagged = (harness: MemoryHarness, tag: string, ...names: RegistryName[]): boolean =>
  names.every((name) => SERVICES.every((service) => harness.held(name, service, tag) !== undefined));

const isRead = ({ method }: FakeRequest): boolean => method === "GET" || method === "HEAD";
const isBlob = ({ url }: FakeRequest): boolean => url.pathname.includes("/blobs/");
const isManifestWrite = ({ method, url }: FakeRequest): boolean =>
  method === "PUT" && url.pathname.includes("/manifests/");

describe("A registry that is not required", () => {
  it.each([
    ["never answers", () => true],
    ["answers no read", isRead],
    ["takes no layer", isBlob],
    ["takes no manifest", isManifestWrite],
    [
      "takes no version tag",
      (asked: FakeRequest) => isManifestWrite(asked) && asked.url.pathname.endsWith("/1.2.3"),
    ],
    ["answers no list of tags", ({ url }: FakeRequest) => url.pathname.endsWith("/tags/list")],
  ] as const)(
    "and %s holds up nothing in the others, and is complete when it goes on",
    async (_, matches) => {
      const harness = new MemoryHarness(0, { gracePeriodMs: 20 });
      const acr = hang(harness, "acr", matches);
      const released = harness.release("1.2.3");
      await eventually(() => tagged(harness, "latest", "ghcr", "dockerhub") && acr.held() > 0);
      expect(harness.held("acr", "tgo-api", "latest")).toBeUndefined();
      acr.letGo();
      expect((await released).ok).toBe(true);
      expect(tagged(harness, "latest", ...NAMES)).toBe(true);
      expect((await released).gate).toMatchObject({ open: true, later: [] });
    },
  );

  it("that hangs does not keep a failure of the others from being told", async () => {
    const harness = new MemoryHarness(0, { gracePeriodMs: 20 });
    const acr = hang(harness, "acr");
    harness.registries.ghcr.intercept = () => errorResponse(403, "DENIED", "no");
    const released = await harness.release("1.2.3");
    expect(acr.held()).toBeGreaterThan(0);
    expect([released.ok, released.gate.open]).toEqual([false, false]);
    const rows = released.services.map(({ registries }) => registries.map(({ state }) => state));
    expect(rows).toEqual(SERVICES.map(() => ["failed", "not started", "not started"]));
    acr.letGo();
  });

  it("is promoted behind the others as well", async () => {
    const harness = new MemoryHarness(0, { gracePeriodMs: 20 });
    await harness.release("1.2.2");
    await harness.release("1.2.3");
    const acr = hang(harness, "acr");
    const promoted = harness.promote("1.2.2", { allowBackwards: true });
    await eventually(
      () => harness.held("dockerhub", "tgo-web", "latest") === harness.held("dockerhub", "tgo-web", "1.2.2"),
    );
    expect(harness.held("acr", "tgo-web", "latest")).toBe(harness.held("acr", "tgo-web", "1.2.3"));
    acr.letGo();
    expect((await promoted).ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.2"));
  });

  it("gets candidates and tags only when the required ones are finished, however fast it is", async () => {
    const harness = new MemoryHarness(0, { gracePeriodMs: 20 });
    const hub = hang(
      harness,
      "dockerhub",
      (asked) => isManifestWrite(asked) && asked.url.pathname.endsWith("/tgo-web/manifests/1.2.3"),
    );
    const released = harness.release("1.2.3");
    await eventually(() => tagged(harness, "1.2.3", "ghcr") && hub.held() > 0);
    for (const service of SERVICES) {
      const { key } = harness.candidate(service, "1.2.3");
      for (const tag of [candidateTag(key), "1.2.3"])
        expect(harness.held("acr", service, tag)).toBeUndefined();
    }
    for (const name of NAMES) expect(harness.held(name, "tgo-api", "1.2")).toBeUndefined();
    hub.letGo();
    expect((await released).ok).toBe(true);
    expect(tagged(harness, "latest", ...NAMES)).toBe(true);
  });

  it("keeps its own order: no latest while one of its version tags is missing", async () => {
    const harness = new MemoryHarness(0, { gracePeriodMs: 20 });
    harness.registries.acr.intercept = (asked) =>
      isManifestWrite(asked) && asked.url.pathname.endsWith("/tgo-web/manifests/1.2.3")
        ? errorResponse(403, "DENIED", "no")
        : undefined;
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    expect(tagged(harness, "latest", "ghcr", "dockerhub")).toBe(true);
    expect(harness.held("acr", "tgo-api", "1.2.3")).toBeDefined();
    expect(harness.held("acr", "tgo-api", "latest")).toBeUndefined();
    const tags = released.services.flatMap(({ service, tags = [] }) =>
      tags.map((tag) => ({ service, ...tag })),
    );
    expect(tags.filter(({ state }) => state === "failed")).toMatchObject([
      { service: "tgo-web", registry: "acr", tag: "1.2.3", problem: { code: "DENIED" } },
    ]);
  });

  it("gets no tag for an image that did not pass there", async () => {
    const harness = new MemoryHarness(0, { gracePeriodMs: 20 });
    // It says that it stored the last layer, and has not.
    harness.registries.acr.intercept = ({ method, url }) => {
      if (method !== "PUT" || !/tgo-api\/blobs\/upload/.test(url.pathname)) return undefined;
      return new Response(null, { status: 201 });
    };
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    expect(harness.held("acr", "tgo-api", "1.2.3")).toBeUndefined();
    expect(tagged(harness, "latest", "ghcr", "dockerhub")).toBe(true);
    expect(released.gate.later).toMatchObject([
      { kind: "candidate failed", service: "tgo-api", registry: "acr" },
    ]);
    harness.registries.acr.intercept = () => undefined;
    expect((await harness.release("1.2.3")).ok).toBe(true);
    expect(harness.built).toHaveLength(2);
  });

  it("that has another image under this version closes the gate, and no longer once the version is out", async () => {
    const taken = async (harness: MemoryHarness): Promise<void> => {
      for (const service of SERVICES) {
        const { index, digest } = await harness.image(service, "1.2.3", "of something else");
        for (const name of ["1.2.3", digest])
          harness.registries.acr.manifests.set(`tgoai/${service} ${name}`, index);
      }
    };
    const before = new MemoryHarness();
    await taken(before);
    const refused = await before.release("1.2.3");
    expect([refused.ok, refused.gate.open]).toEqual([false, false]);
    expect(JSON.stringify(refused.gate)).toContain("in acr: 1.2.3 already exists");
    expect(before.held("ghcr", "tgo-api", "1.2.3")).toBeUndefined();

    const after = new MemoryHarness();
    after.registries.acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
    await after.release("1.2.3");
    await taken(after);
    for (const service of SERVICES) after.registries.dockerhub.manifests.delete(`tgoai/${service} latest`);
    after.registries.acr.intercept = () => undefined;
    const finished = await after.release("1.2.3");
    expect([finished.ok, finished.gate.open]).toEqual([false, true]);
    expect(tagged(after, "latest", "ghcr", "dockerhub")).toBe(true);
    expect(JSON.stringify(finished.gate.later)).toContain("in acr: 1.2.3 already exists");
    expect(after.held("acr", "tgo-api", "latest")).toBeUndefined();
  });

  it("gives what only it holds to the others, where it answers in time", async () => {
    const harness = new MemoryHarness(0, { gracePeriodMs: 2000 });
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

describe("One slow registry, required or not,", () => {
  it.each(NAMES)("holds up no required one's candidate: %s", async (name) => {
    const harness = new MemoryHarness(0, { gracePeriodMs: 20 });
    const slow = hang(harness, name, isBlob);
    const published = Promise.all(
      SERVICES.map((service) => publishCandidate(harness.healthy(), harness.candidate(service, "1.2.3"))),
    );
    const others = NAMES.filter((other) => other !== name && REGISTRIES[other]);
    const candidate = (service: string): string => `candidate-${harness.candidate(service, "1.2.3").key}`;
    await eventually(() =>
      others.every((other) =>
        SERVICES.every((service) => harness.held(other, service, candidate(service)) !== undefined),
      ),
    );
    await eventually(() => slow.held() > 0);
    expect(SERVICES.map((service) => harness.held(name, service, candidate(service)))).toEqual([
      undefined,
      undefined,
    ]);
    slow.letGo();
    expect((await published).map(({ state }) => state)).toEqual(["published", "published"]);
  });
});

describe("A registry that is required", () => {
  it.each([
    ["takes no layer", isBlob],
    ["takes no manifest", isManifestWrite],
  ] as const)(
    "and %s holds up no candidate of the other required ones; the tags and the optional one wait for it",
    async (_, matches) => {
      const harness = new MemoryHarness(0, { gracePeriodMs: 20 });
      const hub = hang(harness, "dockerhub", matches);
      const released = harness.release("1.2.3");
      const candidates = SERVICES.map((service) => ({
        service,
        tag: candidateTag(harness.candidate(service, "1.2.3").key),
      }));
      const has = (name: RegistryName): boolean =>
        candidates.every(({ service, tag }) => harness.held(name, service, tag) !== undefined);
      await eventually(() => has("ghcr") && hub.held() > 0);
      expect([has("dockerhub"), has("acr")]).toEqual([false, false]);
      expect(harness.everywhere("1.2.3").filter((digest) => digest !== undefined)).toEqual([]);
      hub.letGo();
      expect((await released).ok).toBe(true);
      expect(tagged(harness, "latest", ...NAMES)).toBe(true);
    },
  );
});
