import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectComplete, expectNoLatestAhead } from "./expectations.js";
import { RealRegistries } from "./real-registries.js";
import { ReleaseHarness } from "./release-harness.js";

let registries: RealRegistries;
const totals = { stops: 0, afterTheGate: 0, releases: 0 };

beforeAll(async () => {
  registries = await RealRegistries.start();
});
afterAll(async () => {
  await registries.stop();
  console.log(
    `release: ${totals.stops} interruptions, ${totals.afterTheGate} of them after the gate, in ${totals.releases} releases, each finished by the same command`,
  );
});

describe("A release that is interrupted", () => {
  it.each([
    ["once, at any point", [[30], [150], [250], [320], [380], [430]]],
    ["repeatedly, each time a little later", [[120, 160, 160, 160, 140, 120, 100, 80, 60]]],
  ])("%s, moves no latest ahead of a version, and is finished by the same command", async (_, schedules) => {
    for (const schedule of schedules) {
      const harness = await ReleaseHarness.create(registries, { record: true });
      totals.releases += 1;
      for (const requests of schedule) {
        const stop = new AbortController();
        await harness.repair();
        harness.onRequest(requests, () => {
          stop.abort();
        });
        const ended = await harness.release({ signal: stop.signal });
        if (stop.signal.aborted) totals.stops += 1;
        if (!ended.ok) expect(ended.released.interruption?.code).toBe("INTERRUPTED");
        await expectNoLatestAhead(harness);
        const tagged = await harness.publicTags();
        if (stop.signal.aborted && tagged.length > 0) totals.afterTheGate += 1;
        // Every tag it reports as done is there.
        for (const { service, tags = [] } of ended.released.services)
          for (const { registry, tag, state } of tags)
            if (state === "done") expect(tagged).toContain(`${registry} ${service} ${tag}`);
      }
      await harness.repair();
      await expectComplete(harness, await harness.release());
    }
    expect(totals.afterTheGate).toBeGreaterThan(0);
  });
});

describe("The time limit for all retries", () => {
  it("ends a release whose registry keeps asking it to wait, and the report says so", async () => {
    const harness = await ReleaseHarness.create(registries);
    const busy = { kind: "answer", status: 503, headers: { "retry-after": "400" } } as const;
    harness.fail(busy, "version write");
    const outcome = await harness.release({ totalMs: 600_000 });
    expect(outcome.ok).toBe(false);
    expect(outcome.text).toMatch(/status 503.*no time left to retry/);
    expect(outcome.waits.reduce((sum, milliseconds) => sum + milliseconds, 0)).toBeLessThan(600_000);
    await harness.repair();
    await expectComplete(harness, await harness.release());
  });
});

describe("A release after an earlier one", () => {
  it("reports a latest that cannot be moved from the earlier version, and is finished by the same command", async () => {
    const harness = await ReleaseHarness.create(registries);
    expect((await harness.release({ version: "1.2.2" })).ok).toBe(true);
    harness.built.length = 0;
    harness.fail({ kind: "forget" }, "latest write");
    const outcome = await harness.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.text).toMatch(
      /accepted the tag for 1\.2\.3, but the tag still points to 1\.2\.2 \(sha256:/,
    );
    expect(await harness.digestAt("dockerhub", "tgo-web", "latest")).toBe(
      await harness.digest("tgo-web", "1.2.2"),
    );
    await harness.repair();
    await expectComplete(harness, await harness.release());
  });

  it("waits for a registry that still returns the earlier latest", async () => {
    const harness = await ReleaseHarness.create(registries);
    expect((await harness.release({ version: "1.2.2" })).ok).toBe(true);
    harness.built.length = 0;
    // Reads before the write are correct; reads after it lag.
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
    const outcome = await harness.release();
    expect(harness.faultCount()).toBe(3);
    expect(outcome.waits).toEqual(expect.arrayContaining([250, 1000, 2000]));
    await expectComplete(harness, outcome);
  });
});
