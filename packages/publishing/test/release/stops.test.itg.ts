import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectComplete, expectNoLatestAhead } from "./expectations.js";
import { Registries } from "./real-registries.js";

let registries: Registries;
const totals = { stops: 0, afterTheGate: 0, releases: 0 };

beforeAll(async () => {
  registries = await Registries.start();
});
afterAll(async () => {
  await registries.stop();
  console.log(
    `release: ${totals.stops} stops half way, ${totals.afterTheGate} of them after the gate, in ${totals.releases} releases, each finished by the same command`,
  );
});

describe("A release that is stopped half way", () => {
  it.each([
    ["once, wherever it is", [[30], [150], [250], [320], [380], [430]]],
    ["again and again, each time a little later", [[120, 160, 160, 160, 140, 120, 100, 80, 60]]],
  ])("%s, leaves no latest ahead of a version, and is finished by the same command", async (_, schedules) => {
    for (const schedule of schedules) {
      const harness = await registries.harness({ record: true });
      totals.releases += 1;
      for (const requests of schedule) {
        const stop = new AbortController();
        await harness.mend();
        harness.at(requests, () => {
          stop.abort();
        });
        const ended = await harness.release({ signal: stop.signal });
        if (stop.signal.aborted) totals.stops += 1;
        if (!ended.ok) expect(ended.released.stopped?.code).toBe("INTERRUPTED");
        await expectNoLatestAhead(harness);
        const out = await harness.released();
        if (stop.signal.aborted && out.length > 0) totals.afterTheGate += 1;
        // What it says it has done is there.
        for (const { service, tags = [] } of ended.released.services)
          for (const { registry, tag, state } of tags)
            if (state === "done") expect(out).toContain(`${registry} ${service} ${tag}`);
      }
      await harness.mend();
      await expectComplete(harness, await harness.release());
    }
    expect(totals.afterTheGate).toBeGreaterThan(0);
  });
});

describe("The time that faults may cost in all", () => {
  it("ends a release whose registry always wants it to wait, and the report says so", async () => {
    const harness = await registries.harness();
    const busy = { kind: "answer", status: 503, headers: { "retry-after": "400" } } as const;
    harness.fail(busy, "the version's tag");
    const outcome = await harness.release({ totalMs: 600_000 });
    expect(outcome.ok).toBe(false);
    expect(outcome.said).toMatch(/status 503.*the time for all attempts is up/);
    expect(outcome.waits.reduce((sum, milliseconds) => sum + milliseconds, 0)).toBeLessThan(600_000);
    await harness.mend();
    await expectComplete(harness, await harness.release());
  });
});

describe("A release after an earlier one", () => {
  it("leaves latest on the earlier version where it cannot be moved, says so, and is finished by the same command", async () => {
    const harness = await registries.harness();
    expect((await harness.release({ version: "1.2.2" })).ok).toBe(true);
    harness.built.length = 0;
    harness.fail({ kind: "forget" }, "the tag latest");
    const outcome = await harness.release();
    expect(outcome.ok).toBe(false);
    expect(outcome.said).toMatch(
      /accepted the tag for 1\.2\.3, but the tag still points to 1\.2\.2 \(sha256:/,
    );
    expect(await harness.held("dockerhub", "tgo-web", "latest")).toBe(
      await harness.digest("tgo-web", "1.2.2"),
    );
    await harness.mend();
    await expectComplete(harness, await harness.release());
  });

  it("waits for a registry that still shows the earlier latest", async () => {
    const harness = await registries.harness();
    expect((await harness.release({ version: "1.2.2" })).ok).toBe(true);
    harness.built.length = 0;
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
    const outcome = await harness.release();
    expect(harness.struck()).toBe(3);
    expect(outcome.waits).toEqual(expect.arrayContaining([250, 1000, 2000]));
    await expectComplete(harness, outcome);
  });
});
