import { setImmediate as tick } from "node:timers/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { renderStatus } from "@tgo/report";
import { statusOf } from "../../src/status/status.js";
import type { Released } from "../../src/release/release.js";
import type { Service } from "@tgo/catalog";
import { TagPolicy } from "@tgo/release-rules";
import type { FakeRequest } from "@tgo/testing";
import { MemoryHarness, NAMES, SERVICES, type RegistryName } from "./memory-harness.js";

/** Lets every request, and every answer, take its own time: mostly little, sometimes as long as a whole phase. */
function disorder(harness: MemoryHarness, seed: number): void {
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
    registry.intercept = async (asked) => {
      await pause();
      const answer = registry.respond(asked);
      await pause();
      return answer;
    };
  }
}

function order(harness: MemoryHarness): void {
  for (const name of NAMES) harness.registries[name].intercept = () => undefined;
}

const notes = (released: Released): string[] => released.services.flatMap(({ notes: told }) => [...told]);

/** The versions that latest stands for, of every service in every registry. */
async function latestOf(
  harness: MemoryHarness,
  versions: readonly string[],
): Promise<(string | undefined)[]> {
  await harness.know(versions);
  return NAMES.flatMap((name) =>
    SERVICES.map((service) => {
      const held = harness.held(name, service, "latest");
      return versions.find((version) => harness.digests.get(`${service} ${version}`) === held);
    }),
  );
}

async function status(harness: MemoryHarness): Promise<string> {
  const services = SERVICES.map((name) => ({ name, service: {} as Service }));
  return renderStatus(await statusOf(harness.healthy(), services, TagPolicy.parse({})), "text");
}

const VERSIONS = ["1.2.2", "1.2.3", "1.2.4"] as const;

describe("Two releases at once", () => {
  it("of two versions leave latest on the newer one when both are complete, whatever comes first", async () => {
    const seen = { schedules: 0, complete: 0, lost: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        seen.schedules += 1;
        const harness = new MemoryHarness(0, { gracePeriodMs: 2000 });
        await harness.release("1.2.2");
        disorder(harness, seed);
        const both = await Promise.all([harness.release("1.2.3"), harness.release("1.2.4")]);
        order(harness);
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
      `two versions at once: ${seen.schedules} schedules, both complete at once in ${seen.complete}, races lost and decided again in ${seen.lost}`,
    );
    expect(seen.complete).toBeGreaterThan(0);
  }, 120_000);

  it("of one version end complete, with one digest", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const harness = new MemoryHarness(0, { gracePeriodMs: 2000, referrers: ["ghcr"] });
        disorder(harness, seed);
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
    disorder(harness, 7);
    const both = await Promise.all(
      SERVICES.map((service) => harness.release("1.2.3", harness.healthy(), { services: [service] })),
    );
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.3"]));
  });

  it("of different services' versions are a mix that status tells", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.2");
    disorder(harness, 8);
    const [api, web] = SERVICES;
    const both = await Promise.all([
      harness.release("1.2.3", harness.healthy(), { services: [api] }),
      harness.release("1.2.4", harness.healthy(), { services: [web] }),
    ]);
    order(harness);
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    expect(await status(harness)).toContain("latest is 1.2.4 in tgo-web, and 1.2.3 in tgo-api");
  });
});

/** Does something right after the first request that matches was answered; what it does is not seen by it. */
function after(
  harness: MemoryHarness,
  name: RegistryName,
  matches: (asked: FakeRequest) => boolean,
  act: () => unknown,
  { times = 1, before = false } = {},
): void {
  const registry = harness.registries[name];
  let left = times;
  registry.intercept = async (asked) => {
    if (left === 0 || !matches(asked)) return undefined;
    left -= 1;
    if (before) await act();
    const answer = registry.respond(asked);
    if (!before) await act();
    return answer;
  };
}

/** Somebody puts an image that is in the repository under a tag, past everything. */
function move(harness: MemoryHarness, name: RegistryName, service: string, from: string, to: string): void {
  const { manifests } = harness.registries[name];
  const image = manifests.get(`tgoai/${service} ${from}`);
  if (image === undefined) throw new Error(`${from} is not there`);
  manifests.set(`tgoai/${service} ${to}`, image);
}

const writesLatest = ({ method, url }: FakeRequest): boolean =>
  method === "PUT" && url.pathname.endsWith("/tgo-api/manifests/latest");
const asksForLatest = ({ method, url }: FakeRequest): boolean =>
  method === "HEAD" && url.pathname.endsWith("/tgo-api/manifests/latest");

describe("A tag that somebody else writes at the same time", () => {
  async function prepared(): Promise<MemoryHarness> {
    const harness = new MemoryHarness();
    await harness.release("1.2.1");
    await harness.release("1.2.2");
    return harness;
  }

  it("is looked at and decided again, once, and the report says so", async () => {
    const harness = await prepared();
    after(harness, "ghcr", writesLatest, () => {
      move(harness, "ghcr", "tgo-api", "1.2.1", "latest");
    });
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(true);
    expect(new Set(await latestOf(harness, ["1.2.1", ...VERSIONS]))).toEqual(new Set(["1.2.3"]));
    expect(notes(released)).toEqual([
      expect.stringMatching(
        /^ghcr: latest: someone else moved it to 1\.2\.1 \(sha256:.*\) while 1\.2\.3 was being released; it was looked at and decided again$/,
      ),
    ]);
  });

  it("is left, as a failure, when that happens again", async () => {
    const harness = await prepared();
    const others = ["1.2.1", "1.2.2", "1.2.1", "1.2.2"];
    after(
      harness,
      "ghcr",
      writesLatest,
      () => {
        move(harness, "ghcr", "tgo-api", others.shift() ?? "1.2.1", "latest");
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
    order(harness);
    expect((await harness.release("1.2.3")).ok).toBe(true);
  });

  it("between the look and the write is not written over", async () => {
    const harness = await prepared();
    let asked = 0;
    harness.registries.ghcr.intercept = (request) => {
      const isLastPhase = harness.held("ghcr", "tgo-api", "1.2") === harness.held("ghcr", "tgo-api", "1.2.3");
      if (!asksForLatest(request) || !isLastPhase) return undefined;
      asked += 1;
      // The look is the first, the read before the write the second.
      if (asked === 2) move(harness, "ghcr", "tgo-api", "1.2.1", "latest");
      return undefined;
    };
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(true);
    expect(notes(released)[0]).toMatch(
      /^ghcr: latest: it was moved to sha256:\S+ between the look and the write; /,
    );
    expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.3"]));
  });

  it("for a newer version that ended meanwhile is given back to it", async () => {
    const harness = await prepared();
    let done: Promise<Released> | undefined;
    // This write arrives when the other release has long ended.
    after(
      harness,
      "ghcr",
      writesLatest,
      async () => {
        order(harness);
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

  it("for the version itself, with other content, is never written over", async () => {
    const harness = await prepared();
    after(
      harness,
      "ghcr",
      ({ method, url }) => method === "PUT" && url.pathname.endsWith("/tgo-api/manifests/1.2.3"),
      () => {
        move(harness, "ghcr", "tgo-api", "1.2.1", "1.2.3");
      },
    );
    const released = await harness.release("1.2.3");
    expect(released.ok).toBe(false);
    expect(harness.held("ghcr", "tgo-api", "1.2.3")).toBe(harness.held("ghcr", "tgo-api", "1.2.1"));
    expect(new Set(await latestOf(harness, VERSIONS))).toEqual(new Set(["1.2.2"]));
    expect(JSON.stringify(released)).toContain("a version's tag never changes");
  });
});
