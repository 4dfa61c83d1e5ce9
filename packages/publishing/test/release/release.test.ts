import { describe, expect, it } from "vitest";
import { errorResponse } from "@tgo/testing";
import { publishCandidate } from "../../src/publish/publish.js";
import { MemoryHarness, NAMES, SERVICES } from "./memory-harness.js";

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
        expect(["1.2.3", "1.2", "1", "latest"].map((tag) => harness.held(name, service, tag))).toEqual(
          Array(4).fill(digest),
        );
      }
    }
  });

  it("run again finds everything there, and writes and builds nothing", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    for (const name of NAMES) harness.registries[name].received.length = 0;
    const again = await harness.release("v1.2.3");
    expect([again.ok, states(again)]).toEqual([true, ["already there", "already there"]]);
    expect(NAMES.flatMap((name) => harness.registries[name].requests("PUT"))).toEqual([]);
    expect(harness.built).toEqual(["tgo-api 1.2.3", "tgo-web 1.2.3"]);
  });

  it("moves no tag when a required registry fails half way, and finishes without building anew", async () => {
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

  it("does not wait for a registry that is not required, and catches it up by the same command", async () => {
    const harness = new MemoryHarness();
    harness.registries.acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
    const first = await harness.release("1.2.3");
    expect([first.ok, states(first)]).toEqual([false, ["released", "released"]]);
    expect(harness.held("ghcr", "tgo-api", "latest")).toBeDefined();
    expect(harness.held("acr", "tgo-api", "latest")).toBeUndefined();
    expect(first.gate.later.map(({ registry }) => registry)).toContain("acr");

    harness.registries.acr.intercept = () => undefined;
    expect((await harness.release("1.2.3")).ok).toBe(true);
    expect(harness.held("acr", "tgo-api", "latest")).toBe(harness.held("ghcr", "tgo-api", "latest"));
    expect(harness.built).toHaveLength(2);
  });

  it.each(["1.2.4-rc.1", "1.1.9"])("of %s leaves latest where it is", async (version) => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    const before = harness.everywhere("latest");
    const released = await harness.release(version);
    expect([released.ok, states(released)]).toEqual([true, ["released", "released"]]);
    expect(harness.everywhere("latest")).toEqual(before);
    expect(harness.held("acr", "tgo-web", version)).toBe((await harness.image("tgo-web", version)).digest);
  });

  it("refuses a version that is there with another digest, before anything is built", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    const before = harness.everywhere("1.2.3");
    const other = await harness.release("1.2.3", harness.healthy(), { made: "of another source" });
    expect([other.ok, states(other)]).toEqual([false, ["failed", "failed"]]);
    expect(JSON.stringify(other)).toMatch(/1\.2\.3 is there already, made of something else/);
    expect(harness.everywhere("1.2.3")).toEqual(before);
    expect(harness.built).toHaveLength(2);
  });

  it("goes back only when it is told to, and then forward again", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.2");
    await harness.release("1.2.3");
    const newest = harness.everywhere("latest");
    expect((await harness.release("1.2.2")).ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(newest);
    expect((await harness.release("1.2.2", harness.healthy(), { allowBackwards: true })).ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.2"));
    expect((await harness.release("1.2.4")).ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.4"));
  });

  it.each([
    ["three registries", { allRequired: true }, 3000],
    // What nobody waits for comes after the rest.
    ["two registries and an optional one", {}, 4500],
  ] as const)(
    "of six services in %s at 50 ms a request is quick",
    async (name, options, limitMs) => {
      const services = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];
      const harness = new MemoryHarness(50, { referrers: ["ghcr", "dockerhub"], ...options });
      const promote = async (version: string): Promise<number> => {
        // The candidates first: what is measured is the promotion.
        await Promise.all(
          services.map((service) => publishCandidate(harness.healthy(), harness.candidate(service, version))),
        );
        const started = performance.now();
        const released = await harness.release(version, harness.healthy(), { services });
        const took = performance.now() - started;
        console.log(`promotion: 6 services, ${name}, at 50 ms a request: ${Math.round(took)} ms`);
        expect(released.ok).toBe(true);
        expect(released.services.flatMap(({ registries }) => registries.map(({ record }) => record))).toEqual(
          services.flatMap(() => ["done", "done", undefined]),
        );
        return took;
      };
      // The first one creates the repositories. A busy machine only ever adds time: the best of three counts.
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
