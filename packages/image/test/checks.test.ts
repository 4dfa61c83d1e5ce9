import { DOCKER_LIST, OCI_INDEX, OCI_MANIFEST, digestOf } from "@tgo/registry";
import { AARCH64, BOTH_PLATFORMS, elfFile, MemoryRegistry, stageImage, X86_64 } from "@tgo/testing";
import { describe, expect, test } from "vitest";
import { verifyImage, type Check, type Verification } from "../src/index.js";

type Options = Partial<Parameters<typeof verifyImage>[0]>;

const VARIANTS = BOTH_PLATFORMS.map((platform) => ({ platform }));

async function verify(registries: readonly MemoryRegistry[], options: Options = {}): Promise<Verification> {
  return verifyImage({
    targets: registries.map((registry) => ({
      name: registry.host,
      registry: registry.client(),
      repository: "t/app",
      reference: "v1",
    })),
    anyImage: true,
    elf: true,
    referrers: true,
    bases: {},
    ...options,
  });
}

/** Puts any document under the tag. */
function put(
  registry: MemoryRegistry,
  value: { readonly mediaType: string; readonly [field: string]: unknown },
): void {
  const bytes = Buffer.from(JSON.stringify(value));
  for (const name of ["v1", digestOf(bytes)])
    registry.manifests.set(`t/app ${name}`, { mediaType: value.mediaType, bytes });
}

function states({ checks }: Verification): Record<string, Check["state"]> {
  return Object.fromEntries(checks.map(({ name, state }) => [name, state]));
}

/** The one problem of an image that is none. */
async function problem(registry: MemoryRegistry): Promise<string> {
  const { ok, targets } = await verify([registry]);
  expect(ok).toBe(false);
  const found = targets.flatMap(({ problems }) => problems.map(({ what }) => what));
  expect(found).toHaveLength(1);
  expect(found[0]).not.toContain("\n");
  return found[0] ?? "";
}

describe("the checks of an image", () => {
  test("are all listed with what was seen, also when all is well", async () => {
    const registries = ["ghcr.io", "docker.io"].map((host) => new MemoryRegistry(host));
    for (const registry of registries)
      await stageImage(registry.client(), "t/app", "v1", VARIANTS, { annotations: { a: "1" } });
    const verification = await verify(registries);
    expect(verification.ok).toBe(true);
    expect(states(verification)).toEqual({
      found: "ok",
      "same digest": "ok",
      "index type": "ok",
      platforms: "ok",
      manifests: "ok",
      configs: "ok",
      layers: "ok",
      diff_ids: "ok",
      "ELF machines": "ok",
      "link proof": "ok",
      parity: "ok",
      "annotations and labels": "ok",
      base: "note",
      referrers: "ok",
    });
    const evidence = Object.fromEntries(verification.checks.map((check) => [check.name, check.evidence]));
    expect(evidence).toMatchObject({
      found: [
        `ghcr.io/t/app:v1: ${verification.digest ?? ""}`,
        `docker.io/t/app:v1: ${verification.digest ?? ""}`,
      ],
      platforms: ["linux/amd64, linux/arm64"],
      diff_ids: ["3 match the unpacked layers"],
      "ELF machines": ["linux/amd64: 2 files, ELF: 1 x86-64", "linux/arm64: 2 files, ELF: 1 aarch64"],
      referrers: ["ghcr.io/t/app:v1: none", "docker.io/t/app:v1: none"],
    });
  });

  test("of manifests and configs alone ask for no layer", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    const { children } = await stageImage(registry.client(), "t/app", "v1", VARIANTS);
    registry.received.length = 0;
    const verification = await verify([registry], { elf: false, presence: false, referrers: false });
    expect(states(verification)).toMatchObject({
      layers: "skipped",
      diff_ids: "skipped",
      "ELF machines": "skipped",
      configs: "ok",
    });
    expect(states(verification)).not.toHaveProperty("referrers");
    const layers = children.flatMap((child) => child.layers);
    expect(
      registry.requests().filter((request) => layers.some((digest) => request.includes(digest))),
    ).toEqual([]);
  });

  test("name what failed, and only that", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    await stageImage(registry.client(), "t/app", "v1", [
      { platform: "linux/amd64" },
      {
        platform: "linux/arm64",
        layers: [[{ path: "usr/bin/tool", content: elfFile(X86_64) }]],
        config: { architecture: "amd64" },
      },
    ]);
    const verification = await verify([registry]);
    expect(verification.checks.filter(({ state }) => state === "failed")).toEqual([
      {
        name: "configs",
        state: "failed",
        evidence: ["the index says linux/arm64, the variant's own config says linux/amd64"],
      },
      {
        name: "ELF machines",
        state: "failed",
        evidence: ["linux/arm64 contains 1 file for another machine: /usr/bin/tool (x86-64)"],
      },
    ]);
  });

  test("compare the digests of all references", async () => {
    const [one, other] = [new MemoryRegistry("ghcr.io"), new MemoryRegistry("docker.io")];
    await stageImage(one.client(), "t/app", "v1", VARIANTS);
    await stageImage(other.client(), "t/app", "v1", VARIANTS, { annotations: { other: "1" } });
    expect(states(await verify([one, other]))).toMatchObject({ "same digest": "failed", platforms: "ok" });
  });

  test.each([
    ["fresh", { name: "python:3.11-slim", digest: `sha256:${"1".repeat(64)}` }],
    ["stale", { name: "docker.io/library/python:3.11-slim", digest: `sha256:${"2".repeat(64)}` }],
    ["unknown", { name: "node:20", digest: `sha256:${"1".repeat(64)}` }],
    ["unknown", { name: "python:3.11-slim" }],
    ["unknown", {}],
  ])("say that the base is %s: %j", async (age, { name, digest }: { name?: string; digest?: string }) => {
    const registry = new MemoryRegistry("ghcr.io");
    const labels = {
      ...(name === undefined ? {} : { "org.opencontainers.image.base.name": name }),
      ...(digest === undefined ? {} : { "org.opencontainers.image.base.digest": digest }),
    };
    await stageImage(
      registry.client(),
      "t/app",
      "v1",
      VARIANTS.map((variant) => ({ ...variant, labels })),
    );
    const bases = { "docker.io/library/python:3.11-slim": `sha256:${"1".repeat(64)}` };
    const { checks, ok } = await verify([registry], { bases });
    const base = checks.find((check) => check.name === "base");
    expect(base?.evidence).toHaveLength(1);
    expect(base?.evidence[0]).toMatch(new RegExp(`^${age}: `));
    expect(base?.state).toBe(age === "fresh" ? "ok" : "note");
    expect(ok).toBe(true);
  });

  test("name what is attached", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    const client = registry.client();
    await stageImage(client, "t/app", "v1", VARIANTS);
    const { descriptor } = await client.manifest("t/app", "v1");
    const content = Buffer.from("{}");
    await client.attach("t/app", descriptor, [{ type: "application/spdx+json", content }]);
    const { checks } = await verify([registry]);
    expect(checks.find(({ name }) => name === "referrers")?.evidence).toEqual([
      "ghcr.io/t/app:v1: application/spdx+json (listed by tag)",
    ]);
  });
});

describe("somebody else's image", () => {
  test("may have attestations and Docker's media types: they are noted", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    await stageImage(registry.client(), "t/app", "v1", VARIANTS, { attestation: true, docker: true });
    const verification = await verify([registry]);
    expect(verification.ok).toBe(true);
    expect(states(verification)).toMatchObject({ "index type": "note", platforms: "note" });
    const { ok } = await verify([registry], { anyImage: false, platforms: BOTH_PLATFORMS });
    expect(ok).toBe(false);
  });

  test("must have the platforms that are asked for, and may have more", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    await stageImage(registry.client(), "t/app", "v1", VARIANTS);
    expect(await verify([registry], { platforms: ["linux/arm64"] })).toMatchObject({
      ok: true,
      variants: [{ platform: "linux/arm64" }],
    });
    const { checks } = await verify([registry], { platforms: ["linux/arm64", "linux/s390x"] });
    expect(checks.find(({ name }) => name === "platforms")).toMatchObject({
      state: "failed",
      evidence: ["linux/s390x is missing"],
    });
  });

  test("for a platform without a known machine is not unpacked", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    await stageImage(registry.client(), "t/app", "v1", [
      { platform: "linux/mips64le", layers: [[{ path: "x", content: elfFile(AARCH64) }]] },
      { platform: "linux/amd64" },
    ]);
    const { ok, checks } = await verify([registry]);
    expect(ok).toBe(true);
    expect(checks.find(({ name }) => name === "ELF machines")).toMatchObject({ state: "note" });
  });
});

describe("what is no multi-arch image is one clear line:", () => {
  const descriptor = { mediaType: OCI_MANIFEST, digest: `sha256:${"0".repeat(64)}`, size: 2 };
  const index = (manifests: readonly unknown[], mediaType = OCI_INDEX) => ({
    schemaVersion: 2,
    mediaType,
    manifests,
  });
  const single = (type: string, more: object = {}) => ({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { ...descriptor, mediaType: type },
    layers: [],
    ...more,
  });
  const attestation = {
    ...descriptor,
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.type": "attestation-manifest" },
  };

  test.each([
    ["an empty index", index([]), "it lists nothing"],
    ["an empty list of Docker's", index([], DOCKER_LIST), "it lists nothing"],
    ["attestations only", index([attestation]), "it lists 1 attestation manifests and no image"],
    ["no platform", index([descriptor]), "it lists a manifest without a platform: no client can choose it"],
    [
      "a single manifest",
      single("application/vnd.oci.image.config.v1+json"),
      "it is a single manifest (application/vnd.oci.image.manifest.v1+json), not an index of platforms",
    ],
    [
      "an artifact with its own type",
      single("application/vnd.oci.empty.v1+json", { artifactType: "application/spdx+json" }),
      "it is an artifact (application/spdx+json), not an image",
    ],
    [
      "an artifact with its own config",
      single("application/vnd.cncf.helm.config.v1+json"),
      "it is an artifact (application/vnd.cncf.helm.config.v1+json), not an image",
    ],
  ])("%s", async (_, value, expected) => {
    const registry = new MemoryRegistry("ghcr.io");
    put(registry, value);
    expect(await problem(registry)).toBe(expected);
  });

  test.each([
    [
      "a nondistributable layer",
      {
        mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        urls: ["https://example.org/x"],
      },
      /a layer is nondistributable \(.*\): registries need not have it/,
    ],
    [
      "a foreign layer of Docker's",
      { mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" },
      /a layer is nondistributable/,
    ],
    [
      "an encrypted layer",
      { mediaType: "application/vnd.oci.image.layer.v1.tar+gzip+encrypted" },
      /a layer is encrypted \(.*\): nobody unpacks it without its key/,
    ],
    [
      "another layer",
      { mediaType: "application/x-lz4" },
      /a layer is application\/x-lz4, which not every client unpacks/,
    ],
  ])("%s", async (_, change, expected) => {
    const registry = new MemoryRegistry("ghcr.io");
    await stageImage(registry.client(), "t/app", "v1", [{ platform: "linux/amd64" }]);
    const { value: list } = await registry.client().manifest("t/app", "v1");
    if (!("manifests" in list)) throw new Error("no index");
    const { value } = await registry.client().manifest("t/app", list.manifests[0]?.digest ?? "");
    if (!("layers" in value)) throw new Error("no manifest");
    const [first, second] = value.layers;
    if (first !== undefined) registry.blobs.delete(`t/app ${first.digest}`);
    const changed = { ...value, layers: [{ ...first, ...change }, second] };
    // Others than nondistributable layers are in the registry.
    if (first !== undefined && !/foreign|nondistributable/.test(change.mediaType))
      registry.blobs.set(`t/app ${first.digest}`, Buffer.alloc(first.size));
    const bytes = Buffer.from(JSON.stringify(changed));
    registry.manifests.set(`t/app ${digestOf(bytes)}`, { mediaType: OCI_MANIFEST, bytes });
    put(registry, {
      ...list,
      manifests: [{ ...list.manifests[0], digest: digestOf(bytes), size: bytes.length }],
    });
    expect(await problem(registry)).toMatch(expected);
  });
});
