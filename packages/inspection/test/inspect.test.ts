import { digestOf, OCI_INDEX, OCI_MANIFEST } from "@tgo/registry";
import { BOTH_PLATFORMS, MemoryRegistry, stageImage } from "@tgo/testing";
import { describe, expect, test } from "vitest";
import { readImageTrees, renderInspect, type ImageTree } from "../src/index.js";

async function read(registry: MemoryRegistry, wanted = "v1"): Promise<ImageTree> {
  const [tree] = await readImageTrees([{ registry: registry.client(), repository: "t/app", wanted }]);
  if (tree === undefined) throw new Error("no tree");
  return tree;
}

function put(
  registry: MemoryRegistry,
  value: { readonly mediaType: string; readonly [field: string]: unknown },
): string {
  const bytes = Buffer.from(JSON.stringify(value));
  for (const name of ["v1", digestOf(bytes)])
    registry.manifests.set(`t/app ${name}`, { mediaType: value.mediaType, bytes });
  return digestOf(bytes);
}

async function staged(options: Parameters<typeof stageImage>[4] = {}): Promise<MemoryRegistry> {
  const registry = new MemoryRegistry("ghcr.io");
  const variants = BOTH_PLATFORMS.map((platform) => ({ platform, labels: { l: "1" } }));
  await stageImage(registry.client(), "t/app", "v1", variants, options);
  return registry;
}

describe("the tree of an image", () => {
  test("has platforms with config, layers and history, and reads no layer", async () => {
    const registry = await staged({ annotations: { a: "1" } });
    registry.received.length = 0;
    const tree = await read(registry);
    expect(tree).toMatchObject({
      reference: "ghcr.io/t/app:v1",
      kind: "index",
      mediaType: OCI_INDEX,
      annotations: { a: "1" },
      attestations: [],
      referrers: [],
      notes: [],
      platforms: BOTH_PLATFORMS.map((platform) => ({
        platform,
        config: { os: "linux", cmd: ["/usr/bin/tool"], env: ["PATH=/usr/bin"], labels: { l: "1" } },
        layers: [
          { shared: true, createdBy: "step 0" },
          { shared: false, createdBy: "step 1" },
        ],
        history: [{ createdBy: "step 0" }, { createdBy: "step 1" }],
      })),
    });
    const layers = tree.platforms.flatMap((each) => each.layers.map(({ digest }) => digest));
    expect(
      registry.requests().filter((request) => layers.some((digest) => request.includes(digest))),
    ).toEqual([]);
    for (const { pull, platform } of tree.platforms)
      expect(pull).toBe(`docker pull --platform ${platform} ghcr.io/t/app@${tree.digest}`);
  });

  test("has buildx's attestations as attestations", async () => {
    const registry = await staged({ attestation: true });
    const tree = await read(registry);
    expect(tree.platforms).toHaveLength(2);
    expect(tree.attestations).toHaveLength(1);
    expect(renderInspect([tree], "text")).toContain("attestations in the index");
  });

  test("has what is attached", async () => {
    const registry = await staged();
    const client = registry.client();
    const { descriptor } = await client.manifest("t/app", "v1");
    await client.attach("t/app", descriptor, [
      { type: "application/spdx+json", content: Buffer.from("{}"), annotations: { k: "v" } },
    ]);
    expect((await read(registry)).referrers).toMatchObject([
      { type: "application/spdx+json", annotations: { k: "v" } },
    ]);
  });

  test("of one platform is an image, and has a note", async () => {
    const registry = await staged();
    const tree = await read(registry);
    const single = await read(registry, tree.platforms[1]?.digest ?? "");
    expect(single).toMatchObject({
      kind: "image",
      platforms: [{ platform: "linux/arm64" }],
      notes: ["a single manifest, not an index: it serves one platform"],
    });
  });

  test("of an artifact has its blobs", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    const blob = { mediaType: "application/spdx+json", digest: `sha256:${"1".repeat(64)}`, size: 5 };
    put(registry, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      artifactType: "application/spdx+json",
      config: { ...blob, mediaType: "application/vnd.oci.empty.v1+json" },
      layers: [blob],
    });
    const tree = await read(registry);
    expect(tree).toMatchObject({
      kind: "artifact",
      artifactType: "application/spdx+json",
      platforms: [],
      blobs: [{ size: 5 }],
    });
    expect(renderInspect([tree], "text")).toContain("application/spdx+json");
  });

  test("says what of it cannot be read, and shows the rest", async () => {
    const registry = await staged();
    const { platforms } = await read(registry);
    registry.manifests.delete(`t/app ${platforms[0]?.digest ?? ""}`);
    registry.blobs.delete(`t/app ${platforms[1]?.config?.digest ?? ""}`);
    const tree = await read(registry);
    expect(tree.platforms).toMatchObject([{ platform: "linux/arm64", history: [] }]);
    expect(tree.notes).toHaveLength(2);
    expect(tree.notes.join("\n")).toMatch(
      /linux\/amd64 cannot be read[^]*the config sha256:\w+ cannot be read/,
    );
  });
});

test("texts of an image cannot change the terminal", async () => {
  const registry = await staged({ annotations: { "evil\u001B[31m": "a\nb\u202E" } });
  for (const format of ["text", "markdown", "json"] as const) {
    const text = renderInspect([await read(registry)], format);
    for (const control of ["\u001B", "\u202E"]) expect(text).not.toContain(control);
  }
});
