import { expect, it } from "vitest";
import { Service } from "@tgo/catalog";
import { TagPolicy } from "@tgo/release-rules";
import { errorResponse, jsonResponse } from "@tgo/testing";
import { publishCandidate } from "../../src/publish/publish.js";
import { renderStatus } from "@tgo/report";
import { parse } from "@tgo/schemas";
import { statusOf } from "../../src/status/status.js";
import { MemoryHarness } from "../release/memory-harness.js";
import { SERVICES } from "../release/release-subjects.js";

const service = parse(Service, { title: "A service", build: { strategy: "dockerfile" } });
const services = SERVICES.map((name) => ({ name, service }));
const statusIn = (harness: MemoryHarness): ReturnType<typeof statusOf> =>
  statusOf(harness.context(), services, parse(TagPolicy, {}));

it("status after a complete release says that everything agrees", async () => {
  const harness = new MemoryHarness();
  await harness.release("1.2.2");
  await harness.release("1.2.3");
  await harness.release("1.3.0-rc.1");
  const text = renderStatus(await statusIn(harness), "text");
  expect(text).toContain("Everything agrees.");
  expect(text).toMatch(
    /tgo-web +[a-z, ]+ +1\.2\.3 \([0-9a-f]{12}\) +1\.2 is 1\.2\.3, 1 is 1\.2\.3 +1\.2\.3 .* 1\.3\.0-rc\.1 \(/,
  );
});

it("status says that nothing is released while there are only candidates", async () => {
  const harness = new MemoryHarness();
  expect(renderStatus(await statusIn(harness), "text")).toContain("Nothing is released yet.");
  await publishCandidate(harness.context(), harness.candidate("tgo-api", "1.2.3"));
  expect(renderStatus(await statusIn(harness), "text")).toMatch(/\n\nNothing is released yet\.$/);
  await harness.release("1.2.3-rc.1");
  expect(renderStatus(await statusIn(harness), "text")).toContain("Everything agrees.");
});

it("status after a rollback explains it once for all services", async () => {
  const harness = new MemoryHarness();
  await harness.release("1.2.2");
  await harness.release("1.2.3");
  await harness.promote("1.2.2", { allowBackwards: true });
  const text = renderStatus(await statusIn(harness), "text");
  expect(text).toContain("3 disagreements:\n");
  expect(text).toContain("  all 2 services: latest is 1.2.2, the newest is 1.2.3 (ghcr, dockerhub, acr)\n");
  expect(text.split("moved back on purpose")).toHaveLength(2);
  expect(text).toMatch(/The release command of 1\.2\.3 finishes it; promote sets .*$/);
});

it("status reports a latest that was moved by hand and a registry that is down, and does not fail", async () => {
  const harness = new MemoryHarness();
  await harness.release("1.2.2");
  await harness.release("1.2.3");
  const { ghcr, acr } = harness.registries;
  const older = ghcr.manifests.get("tgoai/tgo-api 1.2.2");
  if (older === undefined) throw new Error("not released");
  ghcr.manifests.set("tgoai/tgo-api latest", older);
  acr.intercept = () => errorResponse(503, "UNAVAILABLE", "down");
  const status = await statusIn(harness);
  const text = renderStatus(status, "text");
  expect(text).toMatch(/tgo-api: .*latest/);
  expect(text).toMatch(/\n\nNot everything is known:\n\n {2}all 2 services: acr could not be queried: .*503/);
  expect(text.match(/503/g)).toHaveLength(1);
  expect(text).toMatch(/\n {11}acr +unknown *\n/);
  expect(text).toContain("\n\n2 disagreements:\n\n");
  expect(JSON.parse(renderStatus(status, "json"))).toMatchObject({
    status: { rows: expect.any(Array) as unknown },
  });
  expect(renderStatus(status, "markdown")).toContain("| tgo-api | ghcr | 1.2.2");
});

it.each([
  ["versions", (at: number) => `1.0.${at}`],
  ["floating tags", (at: number) => `1.${at}`],
])("status of a repository with 57,000 %s says so, and reads none of them", async (_, tag) => {
  const harness = new MemoryHarness();
  await harness.release("1.2.3");
  const { ghcr } = harness.registries;
  const tags = Array.from({ length: 57_000 }, (_tag, at) => tag(at));
  ghcr.intercept = ({ url }) =>
    url.pathname.endsWith("/tags/list") ? jsonResponse(200, { tags }) : undefined;
  ghcr.received.length = 0;
  const text = renderStatus(await statusIn(harness), "text");
  expect(text).toContain("ghcr could not be queried: the repository has 57000 version tags");
  expect(ghcr.received.length).toBeLessThan(10 * services.length);
});

it("status reads no more tags of a registry once it has failed", async () => {
  const harness = new MemoryHarness();
  await harness.release("1.2.3");
  const { ghcr } = harness.registries;
  const tags = Array.from({ length: 500 }, (_, at) => `1.2.${at}`);
  ghcr.intercept = ({ url }) => {
    if (url.pathname.endsWith("/tags/list")) return jsonResponse(200, { tags });
    return url.pathname.endsWith("/latest") ? undefined : errorResponse(403, "DENIED", "no");
  };
  ghcr.received.length = 0;
  const text = renderStatus(await statusIn(harness), "text");
  expect(text).toMatch(/ghcr could not be queried/);
  expect(ghcr.requests("HEAD").length).toBeLessThan(100);
});

it("status names a registry that lacks a layer, a config or a platform of what users pull, with the command that restores it", async () => {
  const harness = new MemoryHarness();
  await harness.release("1.2.3");
  const { acr } = harness.registries;
  for (const key of acr.blobs.keys()) if (key.startsWith("tgoai/tgo-web ")) acr.blobs.delete(key);
  const { disagreements } = await statusIn(harness);
  expect(disagreements).toMatchObject([
    {
      kind: "incomplete",
      service: "tgo-web",
      registries: ["acr"],
      remedy:
        "A registry that lacks a part of 1.2.3 gets it from one that has it:\ntgo promote --service tgo-web --version 1.2.3",
    },
  ]);
  expect(disagreements[0]?.told).toMatch(
    /^tgo-web: latest, 1\.2\.3, 1\.2, 1 in acr cannot be pulled whole: linux\/amd64 is incomplete: .*; linux\/arm64 is incomplete/,
  );
  expect(renderStatus(await statusIn(harness), "text")).toContain(
    "\ntgo promote --service tgo-web --version 1.2.3",
  );
});
