import { describe, expect, it } from "vitest";
import { planUnits } from "../src/plan.js";

const SHOP = { name: "shop", hasDockerfile: true };
const NONE = { one: 0, both: 0, foreign: 0, dockerfile: 0, emulated: 0 };
const PAGES = { name: "pages", hasDockerfile: false };

function names(units: ReturnType<typeof planUnits>, round: number): string[] {
  return units
    .filter((unit) => unit.round === round)
    .map(({ service, kinds }) => `${service} ${kinds[0] ?? ""}`);
}

describe("the order of measurements", () => {
  it("is reversed in every second round, so that drift affects all alike", () => {
    const units = planUnits([SHOP], { one: 2, both: 2, foreign: 2, dockerfile: 2, emulated: 2 });
    expect(names(units, 2)).toEqual(names(units, 1).reverse());
  });

  it("keeps warm builds and edits right after the cold build they depend on", () => {
    const units = planUnits([SHOP], { ...NONE, one: 2, both: 2 });
    const chains = units.filter(({ kinds }) => kinds.includes("warm")).map(({ kinds }) => kinds);
    expect(chains).toEqual([
      ["both", "warm", "edit"],
      ["both", "warm", "edit"],
    ]);
  });

  it("has the requested rounds of each kind", () => {
    const units = planUnits([SHOP], { ...NONE, one: 1, dockerfile: 1, emulated: 2 });
    expect(units.filter(({ kinds }) => kinds.includes("one"))).toHaveLength(1);
    expect(units.filter(({ kinds }) => kinds.includes("dockerfile"))).toHaveLength(1);
    expect(units.filter(({ kinds }) => kinds.includes("emulated"))).toHaveLength(2);
  });

  it("skips Dockerfile builds of a service without one", () => {
    const units = planUnits([PAGES], { one: 1, both: 1, foreign: 1, dockerfile: 1, emulated: 1 });
    expect(names(units, 1)).toEqual(["pages one", "pages both", "pages foreign"]);
  });
});
