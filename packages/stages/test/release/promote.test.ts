import { describe, expect, it } from "vitest";
import { Market, NAMES, SERVICES } from "./market.js";

const states = (released: { services: readonly { state: string }[] }): string[] =>
  released.services.map(({ state }) => state);

describe("Promoting a version that is out", () => {
  it("takes latest back when that is what is asked for, and builds nothing", async () => {
    const market = new Market();
    await market.release("1.2.2");
    await market.release("1.2.3");
    const built = market.built.length;
    const back = await market.promote("1.2.2", { allowBackwards: true });
    expect([back.ok, states(back)]).toEqual([true, ["released", "released"]]);
    expect(market.everywhere("latest")).toEqual(market.everywhere("1.2.2"));
    expect(market.everywhere("1.2")).toEqual(market.everywhere("1.2.2"));
    expect(market.built).toHaveLength(built);
  });

  it("leaves latest on a newer version otherwise", async () => {
    const market = new Market();
    await market.release("1.2.2");
    await market.release("1.2.3");
    const promoted = await market.promote("1.2.2");
    expect([promoted.ok, states(promoted)]).toEqual([true, ["already there", "already there"]]);
    expect(market.everywhere("latest")).toEqual(market.everywhere("1.2.3"));
    expect(promoted.services[0]?.tags?.find(({ tag }) => tag === "latest")).toMatchObject({ state: "stays" });
  });

  it("brings it by digest to a registry that lacks it", async () => {
    const market = new Market();
    await market.release("1.2.3");
    const { acr } = market.registries;
    acr.blobs.clear();
    acr.manifests.clear();
    expect((await market.promote("1.2.3")).ok).toBe(true);
    for (const service of SERVICES) {
      const digests = new Set(NAMES.map((name) => market.held(name, service, "latest")));
      expect(digests).toEqual(new Set([(await market.image(service, "1.2.3")).digest]));
    }
  });

  it("refuses a version that is nowhere, and says what to do", async () => {
    const market = new Market();
    const promoted = await market.promote("1.2.3");
    expect([promoted.ok, promoted.gate.open]).toEqual([false, false]);
    expect(JSON.stringify(promoted.services)).toContain("tgo release --version 1.2.3");
  });
});
