import { describe, expect, it } from "vitest";
import { proofAnnotations, readProof } from "../../src/candidate/annotations.js";

const checks = [{ platform: "linux/arm64" as const, files: 8541, elf: 798 }];
const smokes = [
  { platform: "linux/arm64" as const, machine: "aarch64", lines: ["nginx -t: exit 0", "GET :80/ 200"] },
];

describe("what check and smoke run saw", () => {
  it("is read back from the index's annotations as it was written", () => {
    expect(readProof(proofAnnotations(checks, smokes), "linux/arm64")).toEqual({
      ...checks[0],
      machine: "aarch64",
      lines: ["nginx -t: exit 0", "GET :80/ 200"],
    });
  });

  it("is not taken from an index that lacks a part of it", () => {
    expect(readProof(proofAnnotations(checks, []), "linux/arm64")).toBeUndefined();
    expect(readProof(proofAnnotations(checks, smokes), "linux/amd64")).toBeUndefined();
  });
});
