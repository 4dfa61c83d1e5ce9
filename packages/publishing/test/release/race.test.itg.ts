import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { NAMES, SERVICES } from "./release-subjects.js";
import { RealRegistries } from "./real-registries.js";
import { ReleaseHarness } from "./release-harness.js";

let registries: RealRegistries;

beforeAll(async () => {
  registries = await RealRegistries.start();
});
afterAll(() => registries.stop());

describe("Two releases at once, into real registries,", () => {
  it("of two versions leave latest on the newer one, with both versions in every registry", async () => {
    const harness = await ReleaseHarness.create(registries, { record: true });
    await harness.release({ version: "1.2.2" });
    const both = await Promise.all(["1.2.3", "1.2.4"].map((version) => harness.release({ version })));
    // One that lost the same tag twice reports it, and the same command finishes it.
    for (const [index, { ok, text }] of both.entries()) {
      if (ok) continue;
      expect(text).toMatch(/"(what|told)":"[^"]{10,}"/);
      expect((await harness.release({ version: index === 0 ? "1.2.3" : "1.2.4" })).ok).toBe(true);
    }
    for (const service of SERVICES) {
      const [older, newer] = [await harness.digest(service, "1.2.3"), await harness.digest(service, "1.2.4")];
      expect(await harness.everywhere(service, "1.2.3")).toEqual(NAMES.map(() => older));
      for (const tag of ["1.2.4", "1.2", "1", "latest"])
        expect(await harness.everywhere(service, tag)).toEqual(NAMES.map(() => newer));
    }
  });

  it("of one version are both complete, with one digest and one record", async () => {
    const harness = await ReleaseHarness.create(registries, { record: true });
    const both = await Promise.all([harness.release(), harness.release()]);
    expect(both.map(({ ok }) => ok)).toEqual([true, true]);
    expect(both[0].released.record).toEqual(both[1].released.record);
    for (const service of SERVICES) {
      const digest = await harness.digest(service);
      expect(await harness.everywhere(service, "latest")).toEqual(NAMES.map(() => digest));
    }
  });
});
