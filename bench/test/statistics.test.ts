import { describe, expect, it } from "vitest";
import { ratio, spreadOf } from "../src/statistics.js";

describe("a spread", () => {
  it.each([
    { values: [3], median: 3, min: 3, max: 3 },
    { values: [10, 9, 100], median: 10, min: 9, max: 100 },
    { values: [4, 1, 3, 2], median: 2.5, min: 1, max: 4 },
  ])("of $values has the median $median", ({ values, median, min, max }) => {
    expect(spreadOf(values)).toEqual({ median, min, max, count: values.length });
  });

  it("of no values is undefined, not zero", () => {
    expect(spreadOf([])).toBeUndefined();
  });
});

describe("a ratio", () => {
  it("needs both numbers", () => {
    expect(ratio(22, 20)).toBeCloseTo(1.1);
    expect(ratio(undefined, 20)).toBeUndefined();
    expect(ratio(22, undefined)).toBeUndefined();
    expect(ratio(22, 0)).toBeUndefined();
  });
});
