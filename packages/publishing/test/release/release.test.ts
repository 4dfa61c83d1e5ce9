import { describe, expect, it } from "vitest";
import { refusal } from "@tgo/testing";
import { publishCandidate } from "../../src/publish/publish.js";
import { Market, NAMES, SERVICES } from "./memory-harness.js";

const states = (released: { services: readonly { state: string }[] }): string[] =>
  released.services.map(({ state }) => state);

describe("A release", () => {
  it("gives every service one digest under all its tags in every registry", async () => {
    const market = new Market();
    const released = await market.release("1.2.3");
    expect([released.ok, states(released)]).toEqual([true, ["released", "released"]]);
    for (const service of SERVICES) {
      const { digest } = await market.image(service, "1.2.3");
      for (const name of NAMES) {
        expect(["1.2.3", "1.2", "1", "latest"].map((tag) => market.held(name, service, tag))).toEqual(
          Array(4).fill(digest),
        );
      }
    }
  });

  it("run again finds everything there, and writes and builds nothing", async () => {
    const market = new Market();
    await market.release("1.2.3");
    for (const name of NAMES) market.registries[name].asked.length = 0;
    const again = await market.release("v1.2.3");
    expect([again.ok, states(again)]).toEqual([true, ["already there", "already there"]]);
    expect(NAMES.flatMap((name) => market.registries[name].requests("PUT"))).toEqual([]);
    expect(market.built).toEqual(["tgo-api 1.2.3", "tgo-web 1.2.3"]);
  });

  it("moves no tag when a required registry fails half way, and finishes without building anew", async () => {
    const market = new Market();
    const { dockerhub } = market.registries;
    dockerhub.intercept = ({ method, url }) =>
      method === "PUT" && url.pathname.includes("/tgo-web/manifests/")
        ? refusal(403, "DENIED", "requested access to the resource is denied")
        : undefined;
    const failed = await market.release("1.2.3");
    expect([failed.ok, failed.gate.open]).toEqual([false, false]);
    expect(JSON.stringify(failed)).toContain("these credentials have no access");
    expect(new Set([...market.everywhere("1.2.3"), ...market.everywhere("latest")])).toEqual(
      new Set([undefined]),
    );

    dockerhub.intercept = () => undefined;
    const repaired = await market.release("1.2.3");
    expect([repaired.ok, states(repaired)]).toEqual([true, ["released", "released"]]);
    expect(market.built).toEqual(["tgo-api 1.2.3", "tgo-web 1.2.3"]);
  });

  it("does not wait for a registry that is not required, and catches it up by the same command", async () => {
    const market = new Market();
    market.registries.acr.intercept = () => refusal(503, "UNAVAILABLE", "down");
    const first = await market.release("1.2.3");
    expect([first.ok, states(first)]).toEqual([false, ["released", "released"]]);
    expect(market.held("ghcr", "tgo-api", "latest")).toBeDefined();
    expect(market.held("acr", "tgo-api", "latest")).toBeUndefined();
    expect(first.gate.later.map(({ registry }) => registry)).toContain("acr");

    market.registries.acr.intercept = () => undefined;
    expect((await market.release("1.2.3")).ok).toBe(true);
    expect(market.held("acr", "tgo-api", "latest")).toBe(market.held("ghcr", "tgo-api", "latest"));
    expect(market.built).toHaveLength(2);
  });

  it.each(["1.2.4-rc.1", "1.1.9"])("of %s leaves latest where it is", async (version) => {
    const market = new Market();
    await market.release("1.2.3");
    const before = market.everywhere("latest");
    const released = await market.release(version);
    expect([released.ok, states(released)]).toEqual([true, ["released", "released"]]);
    expect(market.everywhere("latest")).toEqual(before);
    expect(market.held("acr", "tgo-web", version)).toBe((await market.image("tgo-web", version)).digest);
  });

  it("refuses a version that is there with another digest, before anything is built", async () => {
    const market = new Market();
    await market.release("1.2.3");
    const before = market.everywhere("1.2.3");
    const other = await market.release("1.2.3", market.healthy(), { made: "of another source" });
    expect([other.ok, states(other)]).toEqual([false, ["failed", "failed"]]);
    expect(JSON.stringify(other)).toMatch(/1\.2\.3 is there already, made of something else/);
    expect(market.everywhere("1.2.3")).toEqual(before);
    expect(market.built).toHaveLength(2);
  });

  it("goes back only when it is told to, and then forward again", async () => {
    const market = new Market();
    await market.release("1.2.2");
    await market.release("1.2.3");
    const newest = market.everywhere("latest");
    expect((await market.release("1.2.2")).ok).toBe(true);
    expect(market.everywhere("latest")).toEqual(newest);
    expect((await market.release("1.2.2", market.healthy(), { allowBackwards: true })).ok).toBe(true);
    expect(market.everywhere("latest")).toEqual(market.everywhere("1.2.2"));
    expect((await market.release("1.2.4")).ok).toBe(true);
    expect(market.everywhere("latest")).toEqual(market.everywhere("1.2.4"));
  });

  it("of six services in three registries at 50 ms a request takes less than 3 s", async () => {
    const services = ["tgo-api", "tgo-ai", "tgo-platform", "tgo-rag", "tgo-web", "tgo-widget-app"];
    const market = new Market(50, { referrers: ["ghcr", "dockerhub"] });
    const promote = async (version: string): Promise<number> => {
      // The candidates first: what is measured is the promotion.
      await Promise.all(
        services.map((service) => publishCandidate(market.healthy(), market.candidate(service, version))),
      );
      const started = performance.now();
      const released = await market.release(version, market.healthy(), { services });
      const took = performance.now() - started;
      console.log(`promotion: 6 services × 3 registries at 50 ms a request: ${Math.round(took)} ms`);
      expect(released.ok).toBe(true);
      expect(released.services.flatMap(({ registries }) => registries.map(({ record }) => record))).toEqual(
        services.flatMap(() => ["done", "done", undefined]),
      );
      return took;
    };
    // The first one makes the repositories. A busy machine only ever adds time: the best of three counts.
    await promote("1.2.2");
    let took = Infinity;
    for (const version of ["1.2.3", "1.2.4", "1.2.5"]) {
      if (took >= 3000) took = Math.min(took, await promote(version));
    }
    expect(took).toBeLessThan(3000);
  }, 60_000);
});
