import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { digestOf, Registry } from "@tgo/registry";
import {
  rejection,
  stageImage,
  startRegistry,
  startTwin,
  subjectHeader,
  type LocalRegistry,
} from "../src/index.js";

const run = promisify(execFile);
const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("A registry that accepts only images", () => {
  let registry: LocalRegistry;
  beforeAll(async () => {
    registry = await startRegistry({ auth: "none", imagesOnly: true });
  });
  afterAll(() => registry.stop());

  it.each(["application/vnd.oci.empty.v1+json", "application/vnd.cncf.helm.config.v1+json"])(
    "refuses a config of %s, as ACR does",
    async (mediaType) => {
      const client = new Registry({ host: registry.host });
      const config = { mediaType, digest: digestOf(bytes("{}")), size: 2 };
      await client.putBlob("a/b", { ...config, open: () => bytes("{}") });
      const manifest = bytes(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] }));
      const response = await fetch(`${registry.url}/v2/a/b/manifests/v1`, {
        method: "PUT",
        headers: { "content-type": MANIFEST },
        body: manifest,
      });
      expect([response.status, await response.json()]).toEqual([
        403,
        { errors: [{ code: "DENIED", message: `unknown manifest class for ${mediaType}` }] },
      ]);
      expect(await rejection(client.putManifest("a/b", "v1", MANIFEST, manifest))).toMatchObject({
        code: "DENIED",
      });
    },
  );

  it("accepts images, their index, and an artifact with an image's config", async () => {
    const client = new Registry({ host: registry.host });
    await stageImage(client, "a/c", "v1", [{ platform: "linux/amd64" }, { platform: "linux/arm64" }]);
    const subject = await client.resolve("a/c", "v1");
    const config = {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(bytes("{}")),
      size: 2,
    };
    await client.putBlob("a/c", { ...config, open: () => bytes("{}") });
    const artifact = {
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType: "application/x",
      config,
      layers: [],
      subject,
    };
    await client.putManifest("a/c", "x", MANIFEST, bytes(JSON.stringify(artifact)));
  });
});

it("A twin passes an image through, with the registry's Location naming the twin", async () => {
  const dir = await mkdtemp(join(tmpdir(), "tgo-twin-test-"));
  const registry = await startRegistry({ auth: "none" });
  const twin = await startTwin(registry.url, subjectHeader());
  try {
    await stageImage(new Registry({ host: registry.host }), "a/b", "v1", [{ platform: "linux/amd64" }]);
    const copy = ["copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"];
    await run("skopeo", [...copy, `docker://${twin.host}/a/b:v1`, `docker://${twin.host}/a/c:v1`]);
    const client = new Registry({ host: registry.host });
    expect(await client.resolve("a/c", "v1")).toEqual(await client.resolve("a/b", "v1"));
    expect(twin.requests.some((seen) => /^PUT \/v2\/a\/c\/manifests\/v1 201$/.test(seen))).toBe(true);
    expect(twin.requests.some((seen) => / 5\d\d$/.test(seen))).toBe(false);
  } finally {
    await twin.stop();
    await registry.stop();
    await rm(dir, { recursive: true, force: true });
  }
  await expect(fetch(`${twin.url}/v2/`)).rejects.toThrow();
});
