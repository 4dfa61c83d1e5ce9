import { setImmediate as tick } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderStatus } from "@tgo/report";
import { statusOf } from "../../src/status/status.js";
import type { Released } from "../../src/release/release-result.js";
import type { Service } from "@tgo/catalog";
import { TagPolicy } from "@tgo/release-rules";
import { parse } from "@tgo/schemas";
import type { FakeRequest } from "@tgo/testing";
import { MemoryHarness } from "./memory-harness.js";
import { NAMES, SERVICES, type RegistryName } from "./release-subjects.js";

/** Delays every request and response at random: mostly briefly, sometimes for as long as a whole phase. */
function delayAtRandom(harness: MemoryHarness, seed: number): void {
  let state = seed + 1;
  const random = (): number => {
    // https://en.wikipedia.org/wiki/Linear_congruential_generator (Numerical Recipes)
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
  const pause = async (): Promise<void> => {
    const ticks = random() < 0.15 ? random() * 200 : random() * 8;
    for (let left = ticks; left > 0; left -= 1) await tick();
  };
  for (const name of NAMES) {
    const registry = harness.registries[name];
    registry.intercept = async (request) => {
      await pause();
      const response = registry.respond(request);
      await pause();
      return response;
    };
  }
}

function endDelays(harness: MemoryHarness): void {
  for (const name of NAMES) harness.registries[name].intercept = () => undefined;
}

const notes = (released: Released): string[] => released.services.flatMap((service) => [...service.notes]);

/** The version latest points to, for every service in every registry. */
async function latestOf(
  harness: MemoryHarness,
  versions: readonly string[],
): Promise<(string | undefined)[]> {
  await harness.buildAll(versions);
  return NAMES.flatMap((name) =>
    SERVICES.map((service) => {
      const digest = harness.digestAt(name, service, "latest");
      return versions.find((version) => harness.digests.get(`${service} ${version}`) === digest);
    }),
  );
}

async function status(harness: MemoryHarness): Promise<string> {
  const services = SERVICES.map((name) => ({ name, service: {} as Service }));
  return renderStatus(await statusOf(harness.context(), services, parse(TagPolicy, {})), "text");
}

const VERSIONS = ["1.2.2", "1.2.3", "1.2.4"] as const;

describe("Two releases at once", () => {
  it("of two versions leave latest on the newer one if both are complete, in whatever order they write", async () => {
    const seen = { schedules: 0, complete: 0, lost: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        seen.schedules += 1;
        const harness = new MemoryHarness({ gracePeriodMs: 2000 });
        await harness.release("1.2.2");
        delayAtRandom(harness, seed);
        const both = await Promise.all([harness.release("1.2.3"), harness.release("1.2.4")]);
        endDelays(harness);
        if (both.flatMap(notes).some((line) => line.includes("decided again"))) seen.lost += 1;
        if (both.every(({ ok }) => ok)) {
          seen.complete += 1;
          expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.4"]));
        } else {
          expect(JSON.stringify(both)).toMatch(/"(what|told)":"[^"]{10,}"/);
        }
        for (const version of ["1.2.3", "1.2.4"]) expect((await harness.release(version)).ok).toBe(true);
        expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.4"]));
        expect(await status(harness)).toContain("Everything agrees.");
      }),
      { numRuns: 20, endOnFailure: true },
    );
    console.log(
      `two versions at once: ${seen.schedules} schedules, both complete in ${seen.complete}, races lost and decided again in ${seen.lost}`,
    );
    expect(seen.complete).toBeGreaterThan(0);
  }, 120_000);

  it("of one version end complete, with one digest", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const harness = new MemoryHarness({ gracePeriodMs: 2000, referrers: ["ghcr"] });
        delayAtRandom(harness, seed);
        const both = await Promise.all([harness.release("1.2.3"), harness.release("1.2.3")]);
        expect(both.map(({ ok }) => ok)).toEqual([true, true]);
        for (const tag of ["1.2.3", "1.2", "1", "latest"])
          expect(harness.everywhere(tag)).toEqual(harness.everywhere("1.2.3"));
        expect(both[0].record).toEqual(both[1].record);
      }),
      { numRuns: 10, endOnFailure: true },
    );
  }, 60_000);

  it("of one service each do not touch each other", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.2");
    delayAtRandom(harness, 7);
    const both = await Promise.all(
      SERVICES.map((service) => harness.release("1.2.3", { services: [service] })),
    );
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.3"]));
  });

  it("of different versions of two services leave a mix that status reports", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.2");
    delayAtRandom(harness, 8);
    const [api, web] = SERVICES;
    const both = await Promise.all([
      harness.release("1.2.3", { services: [api] }),
      harness.release("1.2.4", { services: [web] }),
    ]);
    endDelays(harness);
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    expect(await status(harness)).toContain("latest is 1.2.4 in tgo-web, and 1.2.3 in tgo-api");
  });
});

/** Acts right before or after a matching request is processed. */
function onRequest(
  harness: MemoryHarness,
  name: RegistryName,
  matches: (request: FakeRequest) => boolean,
  act: () => unknown,
  { times = 1, before = false } = {},
): void {
  const registry = harness.registries[name];
  let left = times;
  registry.intercept = async (request) => {
    if (left === 0 || !matches(request)) return undefined;
    left -= 1;
    if (before) await act();
    const response = registry.respond(request);
    if (!before) await act();
    return response;
  };
}

/** Moves a tag by hand to an image in the same repository. */
function moveTag(
  harness: MemoryHarness,
  name: RegistryName,
  service: string,
  from: string,
  to: string,
): void {
  const { manifests } = harness.registries[name];
  const image = manifests.get(`tgoai/${service} ${from}`);
  if (image === undefined) throw new Error(`${from} is missing`);
  manifests.set(`tgoai/${service} ${to}`, image);
}

const writesLatest = ({ method, url }: FakeRequest): boolean =>
  method === "PUT" && url.pathname.endsWith("/tgo-api/manifests/latest");
const readsLatest = ({ method, url }: FakeRequest): boolean =>
  method === "HEAD" && url.pathname.endsWith("/tgo-api/manifests/latest");

describe("A tag that another run writes at the same time", () => {
  async function withTwoVersions(): Promise<MemoryHarness> {
    const harness = new MemoryHarness();
    await harness.release("1.2.1");
    await harness.release("1.2.2");
    return harness;
  }

  it("is read and decided again once, and the report says so", async () => {
    const harness = await withTwoVersions();
    onRequest(harness, "ghcr", writesLatest, () => {
      moveTag(harness, "ghcr", "tgo-api", "1.2.1", "latest");
    });
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(true);
    expect(new Set(await latestOf(harness, ["1.2.1", ...VERSIONS]))).toEqual(new Set(["1.2.3"]));
    expect(notes(released)).toEqual([
      expect.stringMatching(
        /^ghcr: latest: someone else moved it to 1\.2\.1 \(sha256:.*\) while 1\.2\.3 was being released; the tag was read and decided again$/,
      ),
    ]);
  });

  it("is reported as a failure if that happens again", async () => {
    const harness = await withTwoVersions();
    const others = ["1.2.1", "1.2.2", "1.2.1", "1.2.2"];
    onRequest(
      harness,
      "ghcr",
      writesLatest,
      () => {
        moveTag(harness, "ghcr", "tgo-api", others.shift() ?? "1.2.1", "latest");
      },
      { times: 4 },
    );
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    const tags = released.services.flatMap(({ service, tags: all = [] }) =>
      all.map((tag) => ({ service, ...tag })),
    );
    expect(tags.filter(({ state }) => state === "failed")).toMatchObject([
      { service: "tgo-api", registry: "ghcr", tag: "latest", problem: { code: "CONFLICT" } },
    ]);
    expect(await status(harness)).toContain("tgo-api: latest is 1.2.2, the newest is 1.2.3 (ghcr)");
    endDelays(harness);
    expect((await harness.release("1.2.3")).ok).toBe(true);
  });

  it("right before this run's write is not overwritten", async () => {
    const harness = await withTwoVersions();
    let reads = 0;
    harness.registries.ghcr.intercept = (request) => {
      const isLastPhase =
        harness.digestAt("ghcr", "tgo-api", "1.2") === harness.digestAt("ghcr", "tgo-api", "1.2.3");
      if (!readsLatest(request) || !isLastPhase) return undefined;
      reads += 1;
      // The first read is the snapshot, the second the read right before the write.
      if (reads === 2) moveTag(harness, "ghcr", "tgo-api", "1.2.1", "latest");
      return undefined;
    };
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(true);
    expect(notes(released)[0]).toMatch(/^ghcr: latest: it was moved to sha256:\S+ right before the write; /);
    expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.3"]));
  });

  it("for a newer version that finished in the meantime is given back to it", async () => {
    const harness = await withTwoVersions();
    let done: Promise<Released> | undefined;
    // This write arrives after the other release has finished.
    onRequest(
      harness,
      "ghcr",
      writesLatest,
      async () => {
        endDelays(harness);
        done ??= harness.release("1.2.4");
        await done;
      },
      { before: true },
    );
    const released = await harness.release("1.2.3");
    expect([released.ok, (await done)?.ok]).toEqual([true, true]);
    expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.4"]));
    expect(notes(released).join("\n")).toContain("tgo-api: 1.2.4 appeared in ghcr");
    expect(
      released.services[0]?.tags?.find(({ registry, tag }) => registry === "ghcr" && tag === "latest"),
    ).toMatchObject({
      state: "stays",
    });
  });

  it("for this version with other content is never overwritten", async () => {
    const harness = await withTwoVersions();
    onRequest(
      harness,
      "ghcr",
      ({ method, url }) => method === "PUT" && url.pathname.endsWith("/tgo-api/manifests/1.2.3"),
      () => {
        moveTag(harness, "ghcr", "tgo-api", "1.2.1", "1.2.3");
      },
    );
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    expect(harness.digestAt("ghcr", "tgo-api", "1.2.3")).toBe(harness.digestAt("ghcr", "tgo-api", "1.2.1"));
    expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.2"]));
    expect(JSON.stringify(released)).toContain("a version's tag never changes");
  });
});
