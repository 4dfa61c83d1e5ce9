import { expect, it } from "vitest";
import { Service } from "@tgo/catalog";
import { TagPolicy } from "@tgo/release-rules";
import { errorResponse } from "@tgo/testing";
import { publishCandidate } from "../../src/publish/publish.js";
import { renderStatus } from "@tgo/report";
import { statusOf } from "../../src/status/status.js";
import { MemoryHarness, SERVICES } from "../release/memory-harness.js";

const service = Service.parse({ title: "A service", build: { strategy: "dockerfile" } });
const services = SERVICES.map((name) => ({ name, service }));
const look = (harness: MemoryHarness): ReturnType<typeof statusOf> =>
  statusOf(harness.healthy(), services, TagPolicy.parse({}));

it("Status of a complete release says that everything agrees", async () => {
  const harness = new MemoryHarness();
  await harness.release("1.2.2");
  await harness.release("1.2.3");
  await harness.release("1.3.0-rc.1");
  const text = renderStatus(await look(harness), "text");
  expect(text).toContain("Everything agrees.");
  expect(text).toMatch(
    /tgo-web +ghcr +1\.2\.3 \([0-9a-f]{12}\) +1\.2 is 1\.2\.3 .*1 is 1\.2\.3 .* 1\.3\.0-rc\.1 \(/,
  );
});

it("Status says that nothing is released where there are only candidates", async () => {
  const harness = new MemoryHarness();
  expect(renderStatus(await look(harness), "text")).toContain("Nothing is released yet.");
  await publishCandidate(harness.healthy(), harness.candidate("tgo-api", "1.2.3"));
  expect(renderStatus(await look(harness), "text")).toMatch(/\n\nNothing is released yet\.$/);
  await harness.release("1.2.3-rc.1");
  expect(renderStatus(await look(harness), "text")).toContain("Everything agrees.");
});

it("Status after a rollback says once for all services what may be behind it", async () => {
  const harness = new MemoryHarness();
  await harness.release("1.2.2");
  await harness.release("1.2.3");
  await harness.promote("1.2.2", { allowBackwards: true });
  const text = renderStatus(await look(harness), "text");
  expect(text).toContain("  tgo-api: latest is 1.2.2, the newest is 1.2.3 (ghcr, dockerhub, acr)\n");
  expect(text.split("moved back on purpose")).toHaveLength(2);
  expect(text).toMatch(/The release command of 1\.2\.3 finishes it; promote sets .*$/);
});

it("Status names a latest that was moved by hand, and a registry that is down, and does not fail", async () => {
  const harness = new MemoryHarness();
  await harness.release("1.2.2");
  await harness.release("1.2.3");
  const { ghcr, acr } = harness.registries;
  const old = ghcr.manifests.get("tgoai/tgo-api 1.2.2");
  if (old === undefined) throw new Error("not released");
  ghcr.manifests.set("tgoai/tgo-api latest", old);
  acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
  const status = await look(harness);
  const text = renderStatus(status, "text");
  expect(text).toMatch(/tgo-api: .*latest/);
  expect(text).toMatch(/acr could not be queried: .*503/);
  expect(JSON.parse(renderStatus(status, "json"))).toMatchObject({
    status: { rows: expect.any(Array) as unknown },
  });
  expect(renderStatus(status, "markdown")).toContain("| tgo-api | ghcr | 1.2.2");
});
