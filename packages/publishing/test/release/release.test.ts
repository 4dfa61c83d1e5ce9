import { TagPolicy } from "@tgo/release-rules";
import { parse } from "@tgo/schemas";
import { describe, expect, it } from "vitest";
import { errorResponse } from "@tgo/testing";
import { publishCandidate } from "../../src/publish/publish.js";
import { MemoryHarness } from "./memory-harness.js";
import { NAMES, SERVICES } from "./release-subjects.js";

const states = (released: { services: readonly { state: string }[] }): string[] =>
  released.services.map(({ state }) => state);

describe("A release", () => {
  it("gives every service one digest under all its tags in every registry", async () => {
    const harness = new MemoryHarness();
    const released = await harness.release("1.2.3");
    expect([released.ok, states(released)]).toEqual([true, ["released", "released"]]);
    for (const service of SERVICES) {
      const { digest } = await harness.image(service, "1.2.3");
      for (const name of NAMES) {
        expect(["1.2.3", "1.2", "1", "latest"].map((tag) => harness.digestAt(name, service, tag))).toEqual(
          Array(4).fill(digest),
        );
      }
    }
  });

  it("gives a version an alias if its policy has one, to an older version when it is promoted", async () => {
    const harness = new MemoryHarness();
    const policy = parse(TagPolicy, { alias: "v{version}" });
    await harness.release("1.2.2");
    await harness.release("1.2.3", { policy });
    expect(harness.everywhere("v1.2.3")).toEqual(harness.everywhere("1.2.3"));
    expect(harness.everywhere("v1.2.2")).toEqual(harness.everywhere("v1.2.2").map(() => undefined));

    const promoted = await harness.promote("1.2.2", { policy, allowBackwards: true });
    expect([promoted.ok, harness.everywhere("v1.2.2")]).toEqual([true, harness.everywhere("1.2.2")]);
    expect(harness.everywhere("v1.2.3")).toEqual(harness.everywhere("1.2.3"));
  });

  it("run again finds everything in place, and writes and builds nothing", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    for (const name of NAMES) harness.registries[name].received.length = 0;
    const again = await harness.release("v1.2.3");
    expect([again.ok, states(again)]).toEqual([true, ["already there", "already there"]]);
    expect(NAMES.flatMap((name) => harness.registries[name].requests("PUT"))).toEqual([]);
    expect(harness.built).toEqual(["tgo-api 1.2.3", "tgo-web 1.2.3"]);
  });

  it("moves no tag when a required registry fails half way, and then finishes without another build", async () => {
    const harness = new MemoryHarness();
    const { dockerhub } = harness.registries;
    dockerhub.intercept = ({ method, url }) =>
      method === "PUT" && url.pathname.includes("/tgo-web/manifests/")
        ? errorResponse(403, "DENIED", "requested access to the resource is denied")
        : undefined;
    const failed = await harness.release("1.2.3");
    expect([failed.ok, failed.gate.open]).toEqual([false, false]);
    expect(JSON.stringify(failed)).toContain("these credentials have no access");
    expect(new Set([...harness.everywhere("1.2.3"), ...harness.everywhere("latest")])).toEqual(
      new Set([undefined]),
    );

    dockerhub.intercept = () => undefined;
    const repaired = await harness.release("1.2.3");
    expect([repaired.ok, states(repaired)]).toEqual([true, ["released", "released"]]);
    expect(harness.built).toEqual(["tgo-api 1.2.3", "tgo-web 1.2.3"]);
  });

  it("does not fail for an optional registry that is down, and the same command catches it up", async () => {
    const harness = new MemoryHarness();
    harness.registries.acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
    const first = await harness.release("1.2.3");
    expect([first.ok, states(first)]).toEqual([false, ["released", "released"]]);
    expect(harness.digestAt("ghcr", "tgo-api", "latest")).toBeDefined();
    expect(harness.digestAt("acr", "tgo-api", "latest")).toBeUndefined();
    expect(first.gate.later.map(({ registry }) => registry)).toContain("acr");

    harness.registries.acr.intercept = () => undefined;
    expect((await harness.release("1.2.3")).ok).toBe(true);
    expect(harness.digestAt("acr", "tgo-api", "latest")).toBe(harness.digestAt("ghcr", "tgo-api", "latest"));
    expect(harness.built).toHaveLength(2);
  });

  it.each(["1.2.4-rc.1", "1.1.9"])("of %s does not move latest", async (version) => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    const before = harness.everywhere("latest");
    const released = await harness.release(version);
    expect([released.ok, states(released)]).toEqual([true, ["released", "released"]]);
    expect(harness.everywhere("latest")).toEqual(before);
    expect(harness.digestAt("acr", "tgo-web", version)).toBe(
      (await harness.image("tgo-web", version)).digest,
    );
  });

  it("refuses a version that exists with other content, before anything is built", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    const before = harness.everywhere("1.2.3");
    const other = await harness.release("1.2.3", { content: "from another source" });
    expect([other.ok, states(other)]).toEqual([false, ["failed", "failed"]]);
    expect(JSON.stringify(other)).toMatch(/1\.2\.3 already exists with other content/);
    expect(harness.everywhere("1.2.3")).toEqual(before);
    expect(harness.built).toHaveLength(2);
  });

  it("goes back only with --allow-backwards, and forward again afterwards", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.2");
    await harness.release("1.2.3");
    const newest = harness.everywhere("latest");
    expect((await harness.release("1.2.2")).ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(newest);
    expect((await harness.release("1.2.2", { allowBackwards: true })).ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.2"));
    expect((await harness.release("1.2.4")).ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.4"));
  });

  it.each([
    ["three registries", { allRequired: true }, 3000],
    // The optional one follows after the others.
    ["two registries and an optional one", {}, 4500],
  ] as const)(
    "of six services in %s at 50 ms a request is quick",
    async (name, options, limitMs) => {
      const services = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];
      const harness = new MemoryHarness({ delayMs: 50, referrers: ["ghcr", "dockerhub"], ...options });
      const promote = async (version: string): Promise<number> => {
        // Publish the candidates first: only the promotion is measured.
        await Promise.all(
          services.map((service) => publishCandidate(harness.context(), harness.candidate(service, version))),
        );
        const started = performance.now();
        const released = await harness.release(version, { services });
        const took = performance.now() - started;
        console.log(`promotion: 6 services, ${name}, at 50 ms a request: ${Math.round(took)} ms`);
        expect(released.ok).toBe(true);
        expect(released.services.flatMap(({ registries }) => registries.map(({ record }) => record))).toEqual(
          services.flatMap(() => ["done", "done", undefined]),
        );
        return took;
      };
      // The first one creates the repositories. The best of three counts: a busy machine only adds time.
      await promote("1.2.2");
      let took = Infinity;
      for (const version of ["1.2.3", "1.2.4", "1.2.5"]) {
        if (took >= limitMs) took = Math.min(took, await promote(version));
      }
      expect(took).toBeLessThan(limitMs);
    },
    60_000,
  );
});
