import { describe, expect, it } from "vitest";
import { planUnits } from "../src/plan.js";

const SHOP = { name: "shop", hasDockerfile: true };
const PAGES = { name: "pages", hasDockerfile: false };

function names(units: ReturnType<typeof planUnits>, round: number): string[] {
  return units
    .filter((unit) => unit.round === round)
    .map(({ service, kinds }) => `${service} ${kinds[0] ?? ""}`);
}

describe("the order of measurements", () => {
  it("is turned around in every second round, so that drift hits all alike", () => {
    const units = planUnits([SHOP], { rounds: 2, emulatedRounds: 2 });
    expect(names(units, 2)).toEqual(names(units, 1).reverse());
  });

  it("keeps a warm build and an edit right after the cold build they depend on", () => {
    const units = planUnits([SHOP], { rounds: 2, emulatedRounds: 0 });
    const chains = units.filter(({ kinds }) => kinds.includes("warm")).map(({ kinds }) => kinds);
    expect(chains).toEqual([
      ["both", "warm", "edit"],
      ["both", "warm", "edit"],
    ]);
  });

  it("has as many rounds of each kind as were asked for", () => {
    const units = planUnits([SHOP], { rounds: 1, emulatedRounds: 2 });
    expect(units.filter(({ kinds }) => kinds.includes("one"))).toHaveLength(1);
    expect(units.filter(({ kinds }) => kinds.includes("dockerfile"))).toHaveLength(1);
    expect(units.filter(({ kinds }) => kinds.includes("emulated"))).toHaveLength(2);
  });

  it("leaves Dockerfiles out where there is none", () => {
    const units = planUnits([PAGES], { rounds: 1, emulatedRounds: 1 });
    expect(names(units, 1)).toEqual(["pages one", "pages both", "pages foreign"]);
  });
});
