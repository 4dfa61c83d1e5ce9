import { describe, expect, it } from "vitest";
import { formatReasons } from "@tgo/release-rules";
import { errorResponse } from "@tgo/testing";
import { versionNowhere } from "../../src/promote/bring-version.js";
import { MemoryHarness } from "../release/memory-harness.js";
import { NAMES, SERVICES, type RegistryName } from "../release/release-subjects.js";

const states = (released: { services: readonly { state: string }[] }): string[] =>
  released.services.map(({ state }) => state);

describe("Promoting a released version", () => {
  it("moves latest back with --allow-backwards, and builds nothing", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.2");
    await harness.release("1.2.3");
    const built = harness.built.length;
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    expect([back.ok, states(back)]).toEqual([true, ["released", "released"]]);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.2"));
    expect(harness.everywhere("1.2")).toEqual(harness.everywhere("1.2.2"));
    expect(harness.built).toHaveLength(built);
  });

  it("leaves latest on a newer version without it", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.2");
    await harness.release("1.2.3");
    const promoted = await harness.promote("1.2.2");
    expect([promoted.ok, states(promoted)]).toEqual([false, ["not moved", "not moved"]]);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.3"));
    expect(promoted.services[0]?.tags?.find(({ tag }) => tag === "latest")).toMatchObject({
      state: "stays",
      told: "stays on 1.2.3, newer than 1.2.2",
    });
  });

  it("fails for tags that stayed, and names the flag that moves them; a release of an old version does not", async () => {
    const harness = await withTwoVersions();
    const promoted = await harness.promote("1.2.2");
    const problem = {
      code: "CONFLICT",
      what: "NOT MOVED to 1.2.2: 1.2, 1, latest stay on a newer version (1.2.3)",
      remedy: "To move them back to 1.2.2, add --allow-backwards.",
    };
    expect(promoted.services.map(({ problems }) => problems)).toEqual([[problem], [problem]]);
    for (const fine of [
      await harness.release("1.2.2"),
      await harness.promote("1.2.2", { allowBackwards: true }),
    ]) {
      expect(fine.ok).toBe(true);
      expect(fine.services.flatMap(({ problems, notes }) => [...problems, ...notes])).toEqual([]);
    }
  });

  it("fails too if the version had to be copied to a registry first: latest did not move", async () => {
    const harness = await withTwoVersions();
    harness.registries.ghcr.manifests.delete("tgoai/tgo-api 1.2.2");
    const promoted = await harness.promote("1.2.2");
    expect([promoted.ok, states(promoted)]).toEqual([false, ["not moved", "not moved"]]);
    expect(harness.digestAt("ghcr", "tgo-api", "1.2.2")).toBe(harness.digestAt("acr", "tgo-api", "1.2.2"));
  });

  it("reports references with the version's tag, as users pull them", async () => {
    const harness = await withTwoVersions();
    for (const run of [await harness.release("1.2.4"), await harness.promote("1.2.4")]) {
      expect(run.services[0]?.registries.map(({ reference }) => reference)).toEqual(
        NAMES.map((name) => `${name}.test/tgoai/tgo-api:1.2.4`),
      );
    }
  });

  it("copies it by digest to a registry that lacks it", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3");
    const { acr } = harness.registries;
    acr.blobs.clear();
    acr.manifests.clear();
    expect((await harness.promote("1.2.3")).ok).toBe(true);
    for (const service of SERVICES) {
      const digests = new Set(NAMES.map((name) => harness.digestAt(name, service, "latest")));
      expect(digests).toEqual(new Set([(await harness.image(service, "1.2.3")).digest]));
    }
  });

  it("fails for a version that no registry has, and says what to do", async () => {
    const harness = new MemoryHarness();
    const promoted = await harness.promote("1.2.3");
    expect([promoted.ok, promoted.gate.open]).toEqual([false, false]);
    expect(JSON.stringify(promoted.services)).toContain("tgo release --version 1.2.3");
    expect(versionNowhere(promoted.services)?.what).toBe("no registry has version 1.2.3");
  });

  it("does not call a version missing everywhere if some services have it, or a registry did not respond", async () => {
    const harness = new MemoryHarness();
    await harness.release("1.2.3", { services: ["tgo-api"] });
    const partly = await harness.promote("1.2.3");
    expect(versionNowhere(partly.services)).toBeUndefined();
    expect(partly.gate.open ? [] : formatReasons(partly.gate.reasons)).toEqual([
      "tgo-web in ghcr, dockerhub: the candidate is missing: no registry has version 1.2.3",
    ]);
    harness.registries.acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
    expect(versionNowhere((await harness.promote("1.2.9")).services)).toBeUndefined();
  });

  it("restores a lost layer in a registry before latest moves there", async () => {
    const harness = await withTwoVersions();
    loseLayer(harness, "dockerhub", "tgo-web");
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    expect(back.ok).toBe(true);
    expect(harness.everywhere("latest")).toEqual(harness.everywhere("1.2.2"));
    const row = back.services.flatMap(({ registries }) => registries).filter(({ state }) => state === "done");
    expect(row).toMatchObject([{ registry: "dockerhub", reference: "dockerhub.test/tgoai/tgo-web:1.2.2" }]);
    expect(
      (await harness.promote("1.2.2", { allowBackwards: true })).services.map(({ state }) => state),
    ).toEqual(["already there", "already there"]);
  });

  it("moves no tag when the image is complete in no registry", async () => {
    const harness = await withTwoVersions();
    for (const name of NAMES) loseLayer(harness, name, "tgo-web");
    const before = harness.everywhere("latest");
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    expect([back.ok, back.gate.open, back.record]).toEqual([false, false, undefined]);
    expect(harness.everywhere("latest")).toEqual(before);
    expect(JSON.stringify(back.services)).toMatch(/1\.2\.2 of tgo-web is complete in no registry/);
  });

  it("moves no tag when a required registry has another image under the version", async () => {
    const harness = await withTwoVersions();
    const { manifests } = harness.registries.ghcr;
    const other = manifests.get("tgoai/tgo-api 1.2.3");
    if (other === undefined) throw new Error("1.2.3 is missing");
    manifests.set("tgoai/tgo-api 1.2.2", other);
    const before = harness.everywhere("latest");
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    expect([back.ok, back.gate.open]).toEqual([false, false]);
    expect(harness.everywhere("latest")).toEqual(before);
    expect(JSON.stringify(back.gate)).toMatch(/tgo-api in (ghcr|dockerhub): 1\.2\.2 already exists/);
  });

  it("moves no tag when a required registry is down", async () => {
    const harness = await withTwoVersions();
    harness.registries.dockerhub.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
    const before = harness.everywhere("latest");
    const back = await harness.promote("1.2.2", { allowBackwards: true });
    expect([back.ok, back.gate.open]).toEqual([false, false]);
    harness.registries.dockerhub.intercept = () => undefined;
    expect(harness.everywhere("latest")).toEqual(before);
  });
});

async function withTwoVersions(): Promise<MemoryHarness> {
  const harness = new MemoryHarness();
  await harness.release("1.2.2");
  await harness.release("1.2.3");
  return harness;
}

/** Removes the layers of all images of a service from a registry, and keeps configs and manifests. */
function loseLayer(harness: MemoryHarness, name: RegistryName, service: string): void {
  const { blobs } = harness.registries[name];
  for (const [key, bytes] of blobs)
    if (key.startsWith(`tgoai/${service} `) && bytes[0] !== "{".charCodeAt(0)) blobs.delete(key);
}
