import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectComplete } from "./expectations.js";
import { NAMES, Registries, SERVICES } from "./scene.js";

let registries: Registries;
const totals = { stops: 0, releases: 0 };

beforeAll(async () => {
  registries = await Registries.start();
});
afterAll(async () => {
  await registries.stop();
  console.log(
    `release: ${totals.stops} stops half way in ${totals.releases} releases, each finished by the same command`,
  );
});

describe("A release that is stopped half way", () => {
  it.each([
    ["once, wherever it is", [[10], [40], [70], [100], [130], [160]]],
    ["again and again, each time a little later", [[8, 20, 40, 60, 40, 30, 20, 20]]],
  ])("%s, leaves no latest ahead of a version, and is finished by the same command", async (_, schedules) => {
    for (const schedule of schedules) {
      const scene = await registries.scene({ record: true });
      totals.releases += 1;
      for (const requests of schedule) {
        const stop = new AbortController();
        await scene.mend();
        scene.at(requests, () => {
          stop.abort();
        });
        const ended = await scene.release({ signal: stop.signal }).then(
          ({ ok }) => ok,
          (error: unknown) => error,
        );
        if (stop.signal.aborted) totals.stops += 1;
        if (ended !== true) expect(JSON.stringify(ended)).toContain("INTERRUPTED");
        const released = await scene.released();
        for (const service of SERVICES) {
          const without = NAMES.filter((name) => !released.includes(`${name} ${service} 1.2.3`));
          const ahead = released.filter((tag) => tag.endsWith(`${service} latest`));
          if (without.length > 0) expect(ahead).toEqual([]);
        }
      }
      await scene.mend();
      await expectComplete(scene, await scene.release());
    }
  });
});

describe("The time that faults may cost in all", () => {
  it("ends a release whose registry always wants it to wait, and the report says so", async () => {
    const scene = await registries.scene();
    const busy = { kind: "answer", status: 503, headers: { "retry-after": "400" } } as const;
    scene.fail(busy, "the version's tag");
    const outcome = await scene.release({ totalMs: 600_000 });
    expect(outcome.ok).toBe(false);
    expect(outcome.said).toMatch(/status 503.*the time for all tries is over/);
    expect(outcome.waits.reduce((sum, milliseconds) => sum + milliseconds, 0)).toBeLessThan(600_000);
    await scene.mend();
    await expectComplete(scene, await scene.release());
  });
});

describe("A release after an earlier one", () => {
  it("leaves latest on the earlier version where it cannot be moved, says so, and is finished by the same command", async () => {
    const scene = await registries.scene();
    expect((await scene.release({ version: "1.2.2" })).ok).toBe(true);
    scene.built.length = 0;
    scene.fail({ kind: "forget" }, "the tag latest");
    const outcome = await scene.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.said).toMatch(/took the tag for 1\.2\.3, and it is still 1\.2\.2 \(sha256:/);
    expect(await scene.held("dockerhub", "tgo-web", "latest")).toBe(await scene.digest("tgo-web", "1.2.2"));
    await scene.mend();
    await expectComplete(scene, await scene.release());
  });

  it("waits for a registry that still shows the earlier latest", async () => {
    const scene = await registries.scene();
    expect((await scene.release({ version: "1.2.2" })).ok).toBe(true);
    scene.built.length = 0;
    // The looks before the write see it as it is; those after it lag.
    let written = false;
    registries.proxies.dockerhub.add({
      on: ({ method, path }) => {
        const isLatest = path.endsWith("/tgo-web/manifests/latest");
        if (isLatest && method === "PUT") written = true;
        return isLatest && written && method !== "PUT";
      },
      fault: { kind: "stale" },
      times: 3,
    });
    const outcome = await scene.release();
    expect(scene.struck()).toBe(3);
    expect(outcome.waits).toEqual(expect.arrayContaining([250, 1000, 2000]));
    await expectComplete(scene, outcome);
  });
});
