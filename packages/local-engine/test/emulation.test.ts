import { describe, expect, it } from "vitest";
import { emulationProblem, hostPlatform } from "../src/emulation.js";

describe("emulation", () => {
  it("is not needed for this machine's platform", () => {
    expect(emulationProblem(hostPlatform())).toBeUndefined();
  });

  it("that is missing is reported with the commands that register it", () => {
    const problem = emulationProblem("linux/imaginary");
    expect(problem).toMatchObject({
      code: "ENVIRONMENT",
      what: "this machine cannot run linux/imaginary programs: no emulation is registered",
    });
    expect(problem?.remedy).toContain("apt-get install -y qemu-user-static");
  });
});
