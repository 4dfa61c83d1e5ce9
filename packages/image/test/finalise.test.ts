import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { finaliseVariants, type FinalOptions, type StagedVariant } from "../src/index.js";
import {
  type ImageConfig,
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
  parseConfig,
  parseManifestOrIndex,
} from "@tgo/registry";

const hex = (digit: string): string => `sha256:${digit.repeat(64)}`;
const options: FinalOptions = {
  platforms: ["linux/amd64", "linux/arm64"],
  created: new Date("2026-01-02T03:04:05.678Z"),
  annotations: { "org.opencontainers.image.version": "1.2.3", "org.opencontainers.image.revision": "abc" },
  labels: { "org.opencontainers.image.version": "1.2.3" },
};

const HEALTHCHECK = { Test: ["CMD-SHELL", "curl -f http://localhost:8000/health"], Interval: 30_000_000_000 };

function staged(architecture: string, extra: Partial<ImageConfig> = {}): StagedVariant {
  return {
    platform: `linux/${architecture}`,
    digest: hex("f"),
    manifest: {
      schemaVersion: 2,
      mediaType: DOCKER_MANIFEST,
      config: { mediaType: DOCKER_CONFIG, digest: hex("c"), size: 10 },
      layers: [
        { mediaType: DOCKER_LAYER_GZIP, digest: hex("1"), size: 100 },
        { mediaType: OCI_LAYER_GZIP, digest: hex("2"), size: 50, annotations: { toc: "x" } },
      ],
      annotations: { "engine.note": "random" },
    },
    config: {
      os: "linux",
      architecture,
      created: "2020-01-01T00:00:00.123456789Z",
      container: "random-container-id",
      unknownField: { nested: [3, 1, 2] },
      config: {
        User: "1000",
        Healthcheck: HEALTHCHECK,
        Labels: { maintainer: "tgo", "org.opencontainers.image.version": "old" },
      },
      rootfs: { type: "layers", diff_ids: [hex("a"), hex("b")] },
      history: [
        { created: "2019-01-01T00:00:00Z", created_by: "one" },
        { created_by: "two", empty_layer: true },
      ],
      ...extra,
    },
  };
}

const finalise = (
  variants: StagedVariant[],
  change: Partial<FinalOptions> = {},
): ReturnType<typeof finaliseVariants> =>
  finaliseVariants(variants, { ...options, ...change }, "ghcr.io/x/y:s");
const both = (): StagedVariant[] => [staged("amd64"), staged("arm64", { variant: "v8" })];

describe("the final image", () => {
  test("is an annotated OCI index of exactly the planned platforms", () => {
    const image = finalise(both());
    const value = parseManifestOrIndex(image.index.bytes, "x");
    expect(value).toMatchObject({ mediaType: OCI_INDEX, annotations: options.annotations });
    expect(image.index.value.manifests.map(({ platform }) => platform)).toEqual([
      { os: "linux", architecture: "amd64" },
      { os: "linux", architecture: "arm64" },
    ]);
  });

  test("has OCI manifests with OCI media types, unchanged layers, and none of the engine's annotations", () => {
    const [variant] = finalise(both(), { manifestAnnotations: { a: "b" } }).variants;
    const value = parseManifestOrIndex(variant?.manifest.bytes ?? new Uint8Array(), "x");
    expect(value).toMatchObject({
      mediaType: OCI_MANIFEST,
      config: { mediaType: OCI_CONFIG, digest: variant?.config.digest },
      layers: [
        { mediaType: OCI_LAYER_GZIP, digest: hex("1"), size: 100 },
        { mediaType: OCI_LAYER_GZIP, digest: hex("2"), size: 50, annotations: { toc: "x" } },
      ],
    });
    expect(value.annotations).toEqual({ a: "b" });
    expect(variant?.size).toBe(150 + (variant?.config.bytes.length ?? 0));
  });

  test("has one time everywhere, merged labels, and everything else unchanged", () => {
    const [, variant] = finalise(both()).variants;
    const config = parseConfig(variant?.config.bytes ?? new Uint8Array(), "x");
    expect(config).toEqual({
      os: "linux",
      architecture: "arm64",
      variant: "v8",
      created: "2026-01-02T03:04:05Z",
      unknownField: { nested: [3, 1, 2] },
      config: {
        User: "1000",
        Healthcheck: HEALTHCHECK,
        Labels: { maintainer: "tgo", "org.opencontainers.image.version": "1.2.3" },
      },
      rootfs: { type: "layers", diff_ids: [hex("a"), hex("b")] },
      history: [
        { created: "2026-01-02T03:04:05Z", created_by: "one" },
        { created: "2026-01-02T03:04:05Z", created_by: "two", empty_layer: true },
      ],
    });
  });

  test("can omit history and labels", () => {
    const [variant] = finalise([staged("amd64", { config: { Labels: null } })], {
      platforms: ["linux/amd64"],
      labels: {},
      history: "drop",
    }).variants;
    const config = parseConfig(variant?.config.bytes ?? new Uint8Array(), "x");
    expect(config.history).toBeUndefined();
    expect(config.config).toEqual({ Labels: null });
  });

  test("keeps its digest: changing these bytes changes every published image", () => {
    expect(finalise(both()).digest).toMatchInlineSnapshot(
      `"sha256:f2150fffc4965acca07902d58d15ae389e94e997dacd678518d7ae4b99907b5b"`,
    );
  });
});

describe("the digest", () => {
  /** The same JSON value, its keys in another order. */
  const shuffled = (value: unknown, seed: number): unknown => {
    if (Array.isArray(value)) return value.map((item) => shuffled(item, seed));
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value).map(([key, inner]) => [key, shuffled(inner, seed)] as const);
    const order = (key: string): number =>
      Buffer.from(key).reduce((sum, letter) => (sum * 31 + letter * seed) % 1009, seed);
    return Object.fromEntries(entries.sort(([a], [b]) => order(a) - order(b)));
  };
  const time = fc
    .date({ min: new Date(0), max: new Date("2100-01-01"), noInvalidDate: true })
    .map((date) => date.toISOString());

  test("does not depend on the order of variants, platforms or keys, nor on the engine's clock", () => {
    const { digest } = finalise(both());
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 1000 }),
        time,
        time,
        (turnVariants, turnPlatforms, seed, created, step) => {
          const variants = both().map((variant) => {
            const config = {
              ...variant.config,
              created,
              history: variant.config.history?.map((entry) => ({ ...entry, created: step })),
            };
            return { ...variant, config: shuffled(config, seed) as ImageConfig };
          });
          const image = finalise(turnVariants ? variants.reverse() : variants, {
            platforms: turnPlatforms ? ["linux/arm64", "linux/amd64"] : options.platforms,
            annotations: shuffled(options.annotations, seed) as Record<string, string>,
          });
          expect(image.digest).toBe(digest);
        },
      ),
    );
  });

  test.each<[string, StagedVariant[], Partial<FinalOptions>]>([
    ["an annotation", both(), { annotations: {} }],
    ["a label", both(), { labels: {} }],
    ["the time", both(), { created: new Date(0) }],
    ["an environment variable", [staged("amd64", { config: { Env: ["A=B"] } }), staged("arm64")], {}],
    [
      "the order of a list",
      [staged("amd64", { unknownField: { nested: [1, 2, 3] } }), staged("arm64", { variant: "v8" })],
      {},
    ],
  ])("depends on %s", (_, variants, change) => {
    expect(finalise(variants, change).digest).not.toBe(finalise(both()).digest);
  });
});

describe("all differences from the planned variants are reported at once", () => {
  test.each<[string, StagedVariant[], string[]]>([
    ["one is missing", [staged("amd64")], ["linux/arm64 is missing"]],
    ["one is not planned", [...both(), staged("s390x")], ["linux/s390x is not planned"]],
    ["one is listed twice", [...both(), staged("arm64")], ["linux/arm64 is listed twice"]],
    [
      "arm64 is amd64 inside",
      [staged("amd64"), { ...staged("amd64"), platform: "linux/arm64" }],
      [
        "linux/arm64 is missing",
        "linux/amd64 is listed twice",
        "the variant listed for linux/arm64 has the config of linux/amd64",
      ],
    ],
    [
      "a config for other layers",
      [staged("amd64"), staged("arm64", { rootfs: { type: "layers", diff_ids: [] } })],
      ["linux/arm64 has 2 layers, and its config lists 0"],
    ],
  ])("%s", (_, variants, problems) => {
    for (const text of problems) expect(() => finalise(variants)).toThrow(text);
    expect(() => finalise(variants)).toThrow("ghcr.io/x/y:s");
  });
});
