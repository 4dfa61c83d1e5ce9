import { canonicalJson, digestOf, isIndex, OCI_MANIFEST, type Index } from "@tgo/registry";
import { BOTH_PLATFORMS, MemoryRegistry, rejection, stageImage } from "@tgo/testing";
import { beforeEach, describe, expect, test } from "vitest";
import { combine, renderCombination, type TagToWrite } from "../src/index.js";
import type { ImageSource } from "../src/image-source.js";

let ghcr: MemoryRegistry;
let hub: MemoryRegistry;

beforeEach(async () => {
  ghcr = new MemoryRegistry("ghcr.io");
  hub = new MemoryRegistry("docker.io");
  for (const platform of BOTH_PLATFORMS)
    await stageImage(ghcr.client(), "t/built", platform.slice(6), [{ platform }]);
});

const source = (registry: MemoryRegistry, wanted: string, repository = "t/built"): ImageSource => ({
  registry: registry.client(),
  repository,
  wanted,
});
const both = (): ImageSource[] => [source(ghcr, "amd64"), source(ghcr, "arm64")];
const target = (registry: MemoryRegistry, tag = "nightly"): TagToWrite => ({
  registry: registry.client(),
  repository: "t/app",
  tag,
});

async function indexOf(registry: MemoryRegistry, tag = "nightly"): Promise<Index> {
  const { value } = await registry.client().manifest("t/app", tag);
  if (!isIndex(value)) throw new Error("no index");
  return value;
}

describe("images of one platform each become one index", () => {
  test("in several registries at once, with one digest and all that they list", async () => {
    const targets = [target(ghcr), target(hub)];
    const annotations = { "org.opencontainers.image.version": "1.2.3" };
    const combination = await combine(both(), targets, { annotations });
    expect(combination).toMatchObject({
      annotations,
      platforms: BOTH_PLATFORMS.map((platform) => ({
        platform,
        from: `ghcr.io/t/built:${platform.slice(6)}`,
      })),
      targets: [
        // One layer is the same in both.
        { reference: "ghcr.io/t/app:nightly", state: "done", uploaded: 0, mounted: 5 },
        { reference: "docker.io/t/app:nightly", state: "done", mounted: 0 },
      ],
    });
    for (const registry of [ghcr, hub]) {
      expect(registry.digestAt("t/app", "nightly")).toBe(combination.digest);
      const { manifests, annotations: written } = await indexOf(registry);
      expect(written).toEqual(annotations);
      for (const { digest } of manifests) {
        const { value } = await registry.client().manifest("t/app", digest);
        if (isIndex(value)) throw new Error("nested");
        for (const blob of [value.config, ...value.layers])
          expect(registry.blobs.has(`t/app ${blob.digest}`)).toBe(true);
      }
    }
    expect(await combine(both(), targets, { annotations })).toMatchObject({
      digest: combination.digest,
      targets: [{ state: "already there" }, { state: "already there" }],
    });
  });

  test("by a plan that writes nothing", async () => {
    for (const registry of [ghcr, hub]) registry.received.length = 0;
    const plan = await combine(both(), [target(ghcr), target(hub)], { dryRun: true });
    expect(plan.targets.map(({ state }) => state)).toEqual(["planned", "planned"]);
    for (const registry of [ghcr, hub])
      expect(registry.received.filter(({ method }) => method !== "GET" && method !== "HEAD")).toEqual([]);
    const text = renderCombination(plan, "text");
    expect(text).toContain("docker.io/t/app:nightly");
    expect((await combine(both(), [target(ghcr)])).digest).toBe(plan.digest);
  });

  test("of indexes, only the chosen platforms, without their attestations", async () => {
    await stageImage(
      ghcr.client(),
      "t/built",
      "all",
      [...BOTH_PLATFORMS, "linux/s390x"].map((platform) => ({ platform })),
      { attestation: true },
    );
    const { platforms, notes } = await combine([source(ghcr, "all")], [target(hub)], {
      platforms: ["linux/arm64", "linux/s390x"],
    });
    expect(platforms.map(({ platform }) => platform)).toEqual(["linux/arm64", "linux/s390x"]);
    expect(notes).toEqual([expect.stringContaining("1 attestation manifests are left out")]);
    expect((await indexOf(hub)).manifests).toHaveLength(2);
    await expect(
      combine([source(ghcr, "all")], [target(hub)], { platforms: ["linux/386"] }),
    ).rejects.toMatchObject({ code: "USAGE", what: "none of the images has linux/386" });
  });

  test("from a single manifest, whose config says the platform", async () => {
    const { manifests } = await ghcr
      .client()
      .manifest("t/built", "arm64")
      .then(({ value }) => value as Index);
    const { platforms } = await combine([source(ghcr, manifests[0]?.digest ?? "")], [target(hub)]);
    expect(platforms.map(({ platform }) => platform)).toEqual(["linux/arm64"]);
  });
});

describe("refused, before anything is written:", () => {
  test("two images of one platform, but not the same image twice", async () => {
    await stageImage(ghcr.client(), "t/built", "other", [
      { platform: "linux/arm64", labels: { other: "1" } },
    ]);
    const error = await rejection(combine([...both(), source(ghcr, "other")], [target(hub)]));
    expect(error).toMatchObject({
      code: "USAGE",
      what: "linux/arm64 is in two of the images: ghcr.io/t/built:arm64 and ghcr.io/t/built:other",
    });
    expect(hub.manifests.size).toBe(0);
    expect((await combine([...both(), ...both()], [target(hub)])).platforms).toHaveLength(2);
  });

  test("a tag with another image, unless it is to move; a version's tag even then", async () => {
    for (const tag of ["nightly", "1.2.3"])
      await stageImage(hub.client(), "t/app", tag, [{ platform: "linux/amd64", labels: { old: "1" } }]);
    const before = hub.digestAt("t/app", "nightly");
    await expect(combine(both(), [target(ghcr), target(hub)])).rejects.toMatchObject({
      code: "CONFLICT",
      what: `the tag has another image: ${before ?? ""}`,
      remedy: expect.stringContaining("--adopt-latest") as string,
    });
    expect(ghcr.digestAt("t/app", "nightly")).toBeUndefined();
    await expect(combine(both(), [target(hub, "1.2.3")], { move: true })).rejects.toMatchObject({
      code: "CONFLICT",
      what: expect.stringContaining("a version's tag never changes") as string,
    });
    const { targets, digest } = await combine(both(), [target(hub)], { move: true });
    expect(targets).toMatchObject([{ state: "done", before }]);
    expect(hub.digestAt("t/app", "nightly")).toBe(digest);
  });

  test("an artifact", async () => {
    const value = {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: "application/spdx+json",
      config: { mediaType: "application/vnd.oci.empty.v1+json", digest: `sha256:${"0".repeat(64)}`, size: 2 },
      layers: [],
    };
    const bytes = Buffer.from(canonicalJson(value));
    ghcr.manifests.set(`t/built ${digestOf(bytes)}`, { mediaType: OCI_MANIFEST, bytes });
    await expect(combine([source(ghcr, digestOf(bytes))], [target(hub)])).rejects.toMatchObject({
      code: "USAGE",
      what: "it is an artifact (application/spdx+json), not an image",
    });
  });
});

test("a registry that fails stops no other", async () => {
  hub.intercept = ({ method }) =>
    method === "PUT" || method === "POST" ? new Response(null, { status: 403 }) : undefined;
  const { targets, digest } = await combine(both(), [target(hub), target(ghcr)]);
  expect(targets).toMatchObject([{ state: "failed", problem: { code: "DENIED" } }, { state: "done" }]);
  expect(ghcr.digestAt("t/app", "nightly")).toBe(digest);
});

test("a tag that somebody else writes meanwhile is not overwritten", async () => {
  const other = Buffer.from("{}");
  ghcr.onPut = (repository, reference) => {
    if (repository !== "t/app" || !reference.startsWith("sha256:")) return;
    ghcr.manifests.set("t/app nightly", { mediaType: OCI_MANIFEST, bytes: other });
  };
  const { targets } = await combine(both(), [target(ghcr)]);
  expect(targets).toMatchObject([{ state: "failed", problem: { code: "CONFLICT" } }]);
  expect(ghcr.digestAt("t/app", "nightly")).toBe(digestOf(other));
});
