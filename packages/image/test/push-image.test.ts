import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { copyImage, type TransferProgress } from "@tgo/registry";
import { finaliseImage, pushImage, verifyImage, type FinalImage } from "../src/index.js";
import {
  rejection,
  networkError,
  errorResponse,
  BOTH_PLATFORMS,
  stageImage,
  MemoryRegistry,
} from "@tgo/testing";

async function staged(): Promise<{ source: MemoryRegistry; image: FinalImage; digest: string }> {
  const source = new MemoryRegistry("ghcr.io");
  const { digest } = await stageImage(
    source.client(),
    "t/staging",
    "s",
    BOTH_PLATFORMS.map((platform) => ({ platform })),
  );
  const image = await finaliseImage({
    source: { registry: source.client(), repository: "t/staging", reference: "s" },
    platforms: BOTH_PLATFORMS,
    created: new Date(0),
    annotations: { version: "1" },
  });
  source.received.length = 0;
  return { source, image, digest };
}

describe("a push", () => {
  test("writes blobs before children, children before the index, the tag last", async () => {
    const { source, image } = await staged();
    const target = new MemoryRegistry("docker.io");
    await pushImage(image, {
      to: { registry: target.client(), repository: "t/app" },
      from: { registry: source.client(), repository: "t/staging" },
      tag: "v1",
    });
    const puts = target.requests("PUT").map((put) => put.replace("PUT /v2/t/app/", ""));
    expect(puts.slice(0, 5)).toEqual(Array(5).fill("blobs/upload/1"));
    expect(puts.slice(5)).toEqual([
      ...image.variants.map(({ manifest }) => `manifests/${manifest.digest}`),
      `manifests/${image.digest}`,
      "manifests/v1",
    ]);
    expect(puts.indexOf("manifests/v1")).toBe(puts.length - 1);
  });

  test("within one registry mounts layers, and sends only the configs", async () => {
    const { source, image } = await staged();
    const registry = source.client();
    const done = await pushImage(image, {
      to: { registry, repository: "t/app" },
      from: { registry, repository: "t/staging" },
      tag: "v1",
    });
    expect(done).toMatchObject({ uploaded: { blobs: 2 }, mounted: 3, present: 0 });
  });

  test("of an image that exists writes nothing", async () => {
    const { source, image } = await staged();
    const registry = source.client();
    const destination = {
      to: { registry, repository: "t/app" },
      from: { registry, repository: "t/staging" },
      tag: "v1",
    };
    await pushImage(image, destination);
    source.received.length = 0;
    const progress: TransferProgress[] = [];
    expect(await pushImage(image, { ...destination, onProgress: (step) => progress.push(step) })).toEqual({
      uploaded: { blobs: 0, bytes: 0 },
      mounted: 0,
      present: 5,
    });
    expect(source.requests()).toEqual(["HEAD /v2/t/app/manifests/v1"]);
    expect(progress.every(({ outcome }) => outcome === "present")).toBe(true);
  });

  test("of a new tag for an image that exists writes only the tag", async () => {
    const { source, image } = await staged();
    const registry = source.client();
    const destination = {
      to: { registry, repository: "t/app" },
      from: { registry, repository: "t/staging" },
    };
    await pushImage(image, { ...destination, tag: "v1" });
    source.received.length = 0;
    await pushImage(image, { ...destination, tag: "v2" });
    expect(source.received.filter(({ method }) => method === "PUT" || method === "POST")).toHaveLength(1);
  });

  test("without a source for a layer is an error that names the layer", async () => {
    const { image } = await staged();
    const target = new MemoryRegistry("docker.io");
    const layer = image.variants[0]?.layers[0]?.digest ?? "";
    expect(
      await rejection(
        pushImage(image, { to: { registry: target.client(), repository: "t/app" }, tag: "v1" }),
      ),
    ).toMatchObject({ code: "NOT_FOUND", where: `docker.io/t/app@${layer}` });
    expect(target.manifests.size).toBe(0);
  });

  test("repairs what the registry lost before it accepted the manifest (GHCR)", async () => {
    const { source, image } = await staged();
    const target = new MemoryRegistry("docker.io");
    let left = 1;
    const layer = image.variants[0]?.layers[0]?.digest ?? "";
    target.intercept = ({ method, url }) => {
      if (method !== "PUT" || !url.pathname.includes("/manifests/") || left-- <= 0) return undefined;
      target.blobs.delete(`t/app ${layer}`);
      return errorResponse(404, "BLOB_UNKNOWN", "unknown blob");
    };
    await pushImage(image, {
      to: { registry: target.client(), repository: "t/app" },
      from: { registry: source.client(), repository: "t/staging" },
      tag: "v1",
    });
    expect(target.blobs.has(`t/app ${layer}`)).toBe(true);
    expect(target.manifests.has("t/app v1")).toBe(true);
  });
});

test("a staged image that the registry does not serve yet is waited for", async () => {
  const { source, image } = await staged();
  let left = 2;
  source.intercept = ({ url }) =>
    url.pathname.endsWith("/manifests/s") && left-- > 0
      ? errorResponse(404, "MANIFEST_UNKNOWN", "manifest unknown")
      : undefined;
  const again = await finaliseImage({
    source: { registry: source.client(), repository: "t/staging", reference: "s" },
    platforms: BOTH_PLATFORMS,
    created: new Date(0),
    annotations: { version: "1" },
  });
  expect(again.digest).toBe(image.digest);
});

describe("a copy", () => {
  test("keeps every byte, and verifies in the other registry", async () => {
    const { source, digest } = await staged();
    const target = new MemoryRegistry("docker.io");
    const done = await copyImage({
      from: { registry: source.client(), repository: "t/staging" },
      digest,
      to: { registry: target.client(), repository: "t/app" },
      tag: "v1",
    });
    expect(done).toMatchObject({ digest, uploaded: { blobs: 5 } });
    const verification = await verifyImage({
      platforms: BOTH_PLATFORMS,
      elf: true,
      expect: { digest },
      targets: [{ name: "hub", registry: target.client(), repository: "t/app", reference: "v1" }],
    });
    expect(verification.ok).toBe(true);
  });

  test("of an image that the target has needs no source", async () => {
    const { source, digest } = await staged();
    const target = new MemoryRegistry("docker.io");
    const copy = (tag: string): Promise<unknown> =>
      copyImage({
        from: { registry: source.client(), repository: "t/staging" },
        digest,
        to: { registry: target.client(), repository: "t/app" },
        tag,
      });
    await copy("v1");
    source.manifests.clear();
    source.blobs.clear();
    target.received.length = 0;
    expect(await copy("v1")).toMatchObject({ uploaded: { blobs: 0, bytes: 0 }, present: 5 });
    expect(await copy("latest")).toMatchObject({ uploaded: { blobs: 0, bytes: 0 }, present: 5 });
    expect(target.requests("PUT")).toEqual(["PUT /v2/t/app/manifests/latest"]);
    expect(target.requests("POST")).toEqual([]);
  });

  test("may break off at any request, never leaves a tag that cannot be pulled, and succeeds when run again", async () => {
    const { source, digest } = await staged();
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom("network", "refused"),
        async (at, how) => {
          const target = new MemoryRegistry("docker.io");
          let count = 0;
          target.intercept = () => {
            if (++count < at) return undefined;
            if (how === "network") throw networkError("ECONNRESET");
            return errorResponse(403, "DENIED", "not today");
          };
          const copy = (): Promise<unknown> =>
            copyImage({
              from: { registry: source.client(), repository: "t/staging" },
              digest,
              to: { registry: target.client({ retries: 0 }), repository: "t/app" },
              tag: "v1",
            });
          const broke = await copy().then(
            () => false,
            () => true,
          );
          target.intercept = () => undefined;
          const pull = async (): Promise<boolean> =>
            (
              await verifyImage({
                platforms: BOTH_PLATFORMS,
                targets: [{ name: "hub", registry: target.client(), repository: "t/app", reference: "v1" }],
              })
            ).ok;
          if (target.manifests.has("t/app v1")) expect(await pull()).toBe(true);
          else expect(broke).toBe(true);
          await copy();
          expect(await pull()).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});
