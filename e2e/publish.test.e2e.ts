import { createHash } from "node:crypto";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Report } from "@tgo/report";
import {
  createHarness,
  ENGINES,
  execute,
  hasEngine,
  rawManifest,
  reportOf,
  SAMPLES,
  tagsIn,
  type Harness,
} from "./harness.js";

interface IndexDocument {
  mediaType: string;
  manifests: { digest: string; platform: { os: string; architecture: string } }[];
  annotations: Record<string, string>;
}

describe.each(ENGINES)("publish on the %s engine", (engine) => {
  describe.skipIf(!hasEngine(engine))("", () => {
    let harness: Harness;
    let report: Report;
    const publish = ["publish", "--service", "tgo-api,tgo-web", "--format", "json"];

    beforeAll(async () => {
      harness = await createHarness(engine);
      const outcome = await harness.run([...publish, "--source", SAMPLES]);
      expect(outcome.stderr).not.toContain("failed");
      expect(outcome.code).toBe(0);
      report = reportOf(outcome);
    });
    afterAll(() => harness.close());

    it("reports 2 services in 3 registries for 2 platforms, with one digest per service", () => {
      expect(report.ok).toBe(true);
      expect(report.services.map(({ service, state }) => [service, state])).toEqual([
        ["tgo-api", "published"],
        ["tgo-web", "published"],
      ]);
      for (const { digest, registries, variants } of report.services) {
        expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
        expect(registries.map((row) => [row.registry, row.state, row.digest])).toEqual(
          ["open", "basic", "bearer"].map((name) => [name, "done", digest]),
        );
        expect(variants.map(({ platform }) => platform)).toEqual(["linux/amd64", "linux/arm64"]);
        expect(variants.map(({ smoke }) => smoke?.machine)).toEqual(["x86_64", "aarch64"]);
        for (const variant of variants) {
          expect(variant.size).toBeGreaterThan(1_000_000);
          expect(variant.elf?.elf).toBeGreaterThan(10);
          expect(variant.elf?.foreign).toEqual([]);
          expect(variant.smoke?.lines.join("\n")).toContain("200");
        }
      }
    });

    it("publishes an OCI index with exactly two platforms and the same bytes to every registry", async () => {
      for (const { service, tag, digest } of report.services) {
        const copies = await Promise.all(
          Object.values(harness.registries).map((registry) =>
            rawManifest(registry, `tgoai/${service}:${tag ?? ""}`),
          ),
        );
        for (const bytes of copies) {
          expect(`sha256:${createHash("sha256").update(bytes).digest("hex")}`).toBe(digest);
        }
        const index = JSON.parse(copies[0]?.toString() ?? "") as IndexDocument;
        expect(index.mediaType).toBe("application/vnd.oci.image.index.v1+json");
        expect(index.manifests.map(({ platform }) => `${platform.os}/${platform.architecture}`)).toEqual([
          "linux/amd64",
          "linux/arm64",
        ]);
        expect(index.annotations["org.opencontainers.image.title"]).toBeTruthy();
      }
    });

    it("writes only candidate and staging tags", async () => {
      for (const registry of Object.values(harness.registries)) {
        const tags = await tagsIn(registry, "tgoai/tgo-api");
        expect(tags.filter((tag) => !/^(candidate|staging)-[0-9a-f]{16}$/.test(tag))).toEqual([]);
        expect(tags.filter((tag) => tag.startsWith("candidate-"))).toHaveLength(1);
      }
    });

    it("publishes an arm64 image that serves /health when pulled by buildah", async () => {
      const [api] = report.services;
      const name = `tgo-e2e-${process.pid}`;
      const image = `docker://${harness.registries.open.host}/tgoai/tgo-api:${api?.tag ?? ""}`;
      const from = ["from", "--name", name, "--tls-verify=false", "--platform", "linux/arm64", image];
      expect(await execute("buildah", from)).toMatchObject({ code: 0 });
      try {
        const script = [
          "(uvicorn app.main:app --host 127.0.0.1 --port 8000 >/tmp/log 2>&1 &)",
          "for i in $(seq 1 120); do curl -fs http://127.0.0.1:8000/health && exit 0; sleep 1; done; cat /tmp/log; exit 1",
        ].join("\n");
        const inside = `ip link set lo up 2>/dev/null || ifconfig lo up; exec buildah run --isolation chroot ${name} -- sh -c "$0"`;
        const result = await execute("unshare", [
          "--net",
          "--pid",
          "--fork",
          "--kill-child",
          "sh",
          "-c",
          inside,
          script,
        ]);
        expect(result.stdout).toContain('"machine":"aarch64"');
        expect(result.stdout).toContain('"status":"ok"');
      } finally {
        await execute("buildah", ["rm", name]);
      }
    });

    it("publishes the same digest again from another checkout, and uploads nothing", async () => {
      const copy = join(harness.folder, "checkout");
      await cp(SAMPLES, copy, { recursive: true });
      const again = reportOf(await harness.run([...publish, "--source", copy]));
      expect(again.services.map(({ state, digest, tag }) => ({ state, digest, tag }))).toEqual(
        report.services.map(({ digest, tag }) => ({ state: "already there", digest, tag })),
      );
      for (const { registries, variants } of again.services) {
        expect(registries.map(({ state }) => state)).toEqual([
          "already there",
          "already there",
          "already there",
        ]);
        expect(registries.map(({ uploaded }) => uploaded ?? 0)).toEqual([0, 0, 0]);
        expect(variants.map(({ smoke }) => [smoke?.machine, smoke?.recorded])).toEqual([
          ["x86_64", true],
          ["aarch64", true],
        ]);
      }
    });

    it("verifies every registry by digest and every binary's architecture from the layers", async () => {
      const verified = reportOf(
        await harness.run([
          "verify",
          "--service",
          "tgo-api,tgo-web",
          "--source",
          SAMPLES,
          "--format",
          "json",
        ]),
      );
      expect(verified.services.map(({ state, digest }) => ({ state, digest }))).toEqual(
        report.services.map(({ digest }) => ({ state: "verified", digest })),
      );
      for (const { variants } of verified.services) {
        for (const { elf } of variants) expect(elf).toMatchObject({ foreign: [] });
      }
    });

    it("never prints a password", () => {
      for (const { password } of Object.values(harness.registries)) {
        if (password === undefined) continue;
        expect(harness.printed()).not.toContain(password);
        expect(harness.printed()).not.toContain(Buffer.from(`tgo:${password}`).toString("base64"));
      }
    });
  });
});
