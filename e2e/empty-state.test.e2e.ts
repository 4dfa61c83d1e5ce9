import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Report } from "@tgo/report";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createHarness, rawManifest, reportOf, SAMPLES, type Harness } from "./harness.js";

describe("the local engine with empty state", () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await createHarness("local");
  });
  afterAll(() => harness.close());

  /** Publishes with a new engine, to a repository of its own. */
  async function publishCold(name: string, services: readonly string[]): Promise<Report> {
    const home = await mkdtemp(join(harness.folder, "home-"));
    const registry = `${harness.registries.open.host}/${name}`;
    // host.test.e2e.ts does the same for linux/amd64, on two hosts.
    const args = ["--service", services.join(), "--platform", "linux/arm64", "--source", SAMPLES];
    args.push("--registry", registry);
    const env = { XDG_CACHE_HOME: home };
    const outcome = await harness.run(["publish", ...args, "--format", "json"], { env });
    await rm(home, { recursive: true, force: true });
    return reportOf(outcome);
  }

  it("publishes the same arm64 images twice", async () => {
    // The pages of the web services are built on the native platform: host.test.e2e.ts compares them.
    const services = ["tgo-platform"];
    const first = await publishCold("first", services);
    const second = await publishCold("second", services);
    for (const report of [first, second]) {
      expect(report.services.map(({ state, problems }) => [state, problems])).toEqual([["published", []]]);
    }
    // If they differ, the manifests show in which layer.
    for (const { service, tag } of first.services) {
      const manifests = await Promise.all(
        ["first", "second"].map((name) =>
          rawManifest(harness.registries.open, `${name}/${service}:${tag ?? ""}`),
        ),
      );
      expect(manifests[1]?.toString()).toBe(manifests[0]?.toString());
    }
    const digests = ({ services }: Report): unknown[] => services.map(({ digest }) => digest);
    expect(digests(second)).toEqual(digests(first));
  });
});
