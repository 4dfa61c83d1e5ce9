import { gzipSync } from "node:zlib";
import {
  digestOf,
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from "@tgo/registry";
import { AARCH64, createTar, elfFile, MemoryRegistry, X86_64 } from "@tgo/testing";
import { describe, expect, test } from "vitest";
import { verifyImage } from "../src/index.js";

type Json = Record<string, unknown>;

/** Changes to the documents of one variant of an image. */
interface Changes {
  readonly child?: (child: Json) => Json;
  readonly manifest?: (manifest: Json & { layers: Json[]; config: Json }) => Json;
  readonly config?: (config: Json) => Json;
  /** How often the one layer is there. */
  readonly layers?: number;
  /** The index's text. */
  readonly index?: (text: string) => string;
}

const PLATFORMS = ["linux/amd64", "linux/arm64"];

/** What is wrong with an image whose arm64 variant, or index, is changed like this; and what was read of it. */
async function verify(changes: Changes): Promise<{ problems: string[]; reads: string[] }> {
  const registry = new MemoryRegistry("ghcr.io");
  const blob = (bytes: Buffer, mediaType: string): Json => {
    registry.blobs.set(`t/app ${digestOf(bytes)}`, bytes);
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const manifest = (text: string, mediaType: string, tag?: string): Json => {
    const bytes = Buffer.from(text);
    for (const name of [digestOf(bytes), ...(tag === undefined ? [] : [tag])])
      registry.manifests.set(`t/app ${name}`, { mediaType, bytes });
    return { mediaType, digest: digestOf(bytes), size: bytes.length };
  };
  const children = PLATFORMS.map((platform) => {
    const same = <T>(value: T): T => value;
    const {
      child = same,
      manifest: change = same,
      config = same,
      layers = 1,
    }: Changes = platform === "linux/arm64" ? changes : {};
    const architecture = platform.slice(6);
    const tar = createTar([
      { path: "usr/bin/tool", content: elfFile(architecture === "arm64" ? AARCH64 : X86_64) },
    ]);
    const document = config({
      os: "linux",
      architecture,
      rootfs: { type: "layers", diff_ids: Array<string>(layers).fill(digestOf(tar)) },
    });
    const value = change({
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: blob(Buffer.from(JSON.stringify(document)), OCI_CONFIG),
      layers: Array.from({ length: layers }, () => blob(gzipSync(tar), OCI_LAYER_GZIP)),
    });
    return child({
      ...manifest(JSON.stringify(value), String(value["mediaType"])),
      platform: { os: "linux", architecture },
    });
  });
  const index = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: children });
  manifest((changes.index ?? ((text) => text))(index), OCI_INDEX, "v1");
  const target = { name: "ghcr", registry: registry.client(), repository: "t/app", reference: "v1" };
  const { targets, ok } = await verifyImage({ targets: [target], platforms: PLATFORMS, elf: true });
  const problems = targets.flatMap((result) => result.problems.map(({ what }) => what));
  expect(ok).toBe(problems.length === 0);
  return { problems, reads: registry.requests("GET") };
}

const inLayer =
  (change: Json): NonNullable<Changes["manifest"]> =>
  (manifest) => ({ ...manifest, layers: manifest.layers.map((layer) => ({ ...layer, ...change })) });
const inPlatform =
  (change: Json): NonNullable<Changes["child"]> =>
  (child) => ({ ...child, platform: { os: "linux", architecture: "arm64", ...change } });

describe("accepted, as all clients pull the same", () => {
  test.each<[string, Changes]>([
    ["nothing unusual", {}],
    ["the variant v8 in the index", { child: inPlatform({ variant: "v8" }) }],
    ["the variant v8 in the config", { config: (config) => ({ ...config, variant: "v8" }) }],
    ["an empty variant", { child: inPlatform({ variant: "" }) }],
    ["an empty list of URLs", { manifest: inLayer({ urls: [] }) }],
    [
      "a manifest of Docker's",
      {
        manifest: (manifest) => ({
          ...manifest,
          mediaType: DOCKER_MANIFEST,
          config: { ...manifest.config, mediaType: DOCKER_CONFIG },
          layers: manifest.layers.map((layer) => ({ ...layer, mediaType: DOCKER_LAYER_GZIP })),
        }),
      },
    ],
    ["a layer twice", { layers: 2 }],
    ["a subject", { manifest: (manifest) => ({ ...manifest, subject: manifest.config }) }],
    ["125 layers", { layers: 125 }],
  ])("%s", async (_, changes) => {
    expect((await verify(changes)).problems).toEqual([]);
  });

  test("a config embedded in the manifest, and the same", async () => {
    let data = "";
    const { problems } = await verify({
      config: (config) => {
        data = Buffer.from(JSON.stringify(config)).toString("base64");
        return config;
      },
      manifest: (manifest) => ({ ...manifest, config: { ...manifest.config, data } }),
    });
    expect(data).not.toBe("");
    expect(problems).toEqual([]);
  });
});

describe("refused", () => {
  const other = `sha256:${"0".repeat(64)}`;
  test.each<[string, Changes, string]>([
    [
      "a layer that is elsewhere",
      { manifest: inLayer({ urls: ["http://example.org/x"] }) },
      "names URLs: some clients download it from there",
    ],
    [
      "a config that is elsewhere",
      { manifest: (manifest) => ({ ...manifest, config: { ...manifest.config, urls: ["http://x"] } }) },
      "names URLs",
    ],
    ["a manifest that is elsewhere", { child: (child) => ({ ...child, urls: ["http://x"] }) }, "names URLs"],
    [
      "embedded data that is something else",
      { manifest: (manifest) => ({ ...manifest, config: { ...manifest.config, data: "e30=" } }) },
      "the data embedded for",
    ],
    [
      "a diff_id too few",
      { config: (config) => ({ ...config, rootfs: { type: "layers", diff_ids: [] } }) },
      "it has 1 layers, and its config lists 0 diff_ids",
    ],
    [
      "a diff_id of another layer",
      { config: (config) => ({ ...config, rootfs: { type: "layers", diff_ids: [other] } }) },
      `but its diff_id in the config is ${other}`,
    ],
    [
      "more layers than Docker stacks",
      { layers: 126 },
      "the manifest lists 126 layers; Docker unpacks at most 125",
    ],
    ["aarch64 in the index", { child: inPlatform({ architecture: "aarch64" }) }, "it lists linux/aarch64"],
    ["ARM64 in the index", { child: inPlatform({ architecture: "ARM64" }) }, "it lists linux/ARM64"],
    ["Linux in the index", { child: inPlatform({ os: "Linux" }) }, "it lists Linux/arm64"],
    ["arm64v8 in the index", { child: inPlatform({ architecture: "arm64v8" }) }, "it lists linux/arm64v8"],
    ["an unknown variant", { child: inPlatform({ variant: "unknown" }) }, "it lists linux/arm64/unknown"],
    [
      "aarch64 in the config",
      { config: (config) => ({ ...config, architecture: "aarch64" }) },
      "the variant's own config says linux/aarch64",
    ],
    ["a version of the OS", { child: inPlatform({ "os.version": "6.1" }) }, 'lists it with "os.version"'],
    ["features of the OS", { child: inPlatform({ "os.features": ["x"] }) }, 'lists it with "os.features"'],
    [
      "a manifest by another media type",
      { child: (child) => ({ ...child, mediaType: DOCKER_MANIFEST }) },
      `the index calls the manifest ${DOCKER_MANIFEST}`,
    ],
    [
      "a config by another media type",
      {
        manifest: (manifest) => ({ ...manifest, config: { ...manifest.config, mediaType: "application/x" } }),
      },
      "its config is application/x",
    ],
    [
      "Docker's config in OCI's manifest",
      {
        manifest: (manifest) => ({ ...manifest, config: { ...manifest.config, mediaType: DOCKER_CONFIG } }),
      },
      `its config is ${DOCKER_CONFIG}`,
    ],
    [
      "a layer that registries need not hold",
      { manifest: inLayer({ mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" }) },
      "registries need not have it",
    ],
    [
      "a layer of an unknown type that ends in gzip",
      { manifest: inLayer({ mediaType: "application/x.tar+gzip" }) },
      "a layer is application/x.tar+gzip",
    ],
    [
      "a layer that is named by sha512",
      { manifest: inLayer({ digest: `sha512:${"0".repeat(128)}` }) },
      "is not sha256, and containerd takes nothing else",
    ],
    [
      "a layer twice, with two sizes",
      {
        layers: 2,
        manifest: ({ layers: [first, second], ...rest }) => ({
          ...rest,
          layers: [{ ...first, size: Number(first?.["size"]) + 1 }, second ?? {}],
        }),
      },
      "is listed with different sizes or media types",
    ],
    [
      "a layer twice, with two media types",
      {
        layers: 2,
        manifest: ({ layers: [first, second], ...rest }) => ({
          ...rest,
          layers: [{ ...first, mediaType: DOCKER_LAYER_GZIP }, second ?? {}],
        }),
      },
      "is listed with different sizes or media types",
    ],
    [
      "a second list of manifests that Go prefers",
      { index: (text) => text.replace(/\}$/, ',"Manifests":[]}') },
      'its key "Manifests" for "manifests"',
    ],
  ])("%s", async (_, changes, why) => {
    expect((await verify(changes)).problems.join("\n")).toContain(why);
  });

  test("an index that lists hundreds of platforms, before any of them is read", async () => {
    const { problems, reads } = await verify({
      index: (text) => {
        const value = JSON.parse(text) as { manifests: Json[] };
        const more = Array.from({ length: 900 }, (_, at) => ({
          ...value.manifests[0],
          digest: digestOf(Buffer.from(String(at))),
          platform: { os: "linux", architecture: `a${at}` },
        }));
        return JSON.stringify({ ...value, manifests: [...value.manifests, ...more] });
      },
    });
    expect(problems).toHaveLength(6);
    expect(problems.at(-1)).toBe("it lists 895 more platforms that are not planned");
    // The index, and the documents and the layers of the two planned variants.
    expect(reads).toHaveLength(7);
  });

  test("a platform that is listed twice: the first one is read, as by clients", async () => {
    const { problems, reads } = await verify({
      index: (text) => {
        const value = JSON.parse(text) as { manifests: Json[] };
        const twin = { ...value.manifests[1], digest: other };
        return JSON.stringify({ ...value, manifests: [...value.manifests, twin] });
      },
    });
    expect(problems).toEqual(["it lists linux/arm64 more than once"]);
    expect(reads.join()).not.toContain(other);
  });
});
