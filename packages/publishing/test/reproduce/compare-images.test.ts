import type { FinalImage } from "@tgo/image";
import type { ImageConfig, Manifest } from "@tgo/registry";
import { expect, test } from "vitest";
import { compareImages, type PublishedVariant } from "../../src/reproduce/compare-images.js";

const digest = (text: string): string => `sha256:${text.padEnd(64, "0")}`;

interface Spec {
  /** Digests of layers, and of what they unpack to. */
  readonly layers: readonly (readonly [layer: string, diffId: string])[];
  readonly env?: readonly string[];
}

function configOf({ layers, env = [] }: Spec): ImageConfig {
  return {
    architecture: "amd64",
    os: "linux",
    config: { Env: [...env] },
    rootfs: { type: "layers", diff_ids: layers.map(([, diffId]) => digest(diffId)) },
  };
}

const nameOf = (spec: Spec): string => Buffer.from(JSON.stringify(spec)).toString("hex").slice(-20);
const configDigest = (spec: Spec): string =>
  digest(nameOf({ ...spec, layers: spec.layers.map(([, id]) => ["", id]) }));

function published(spec: Spec): PublishedVariant {
  const layers = spec.layers.map(([layer]) => ({ digest: digest(layer) }));
  const manifest = { config: { digest: configDigest(spec) }, layers } as unknown as Manifest;
  return { platform: "linux/amd64", digest: digest(`1${nameOf(spec)}`), manifest, config: configOf(spec) };
}

function rebuilt(spec: Spec, index: string): FinalImage {
  const variant = {
    platform: "linux/amd64",
    manifest: { digest: digest(`1${nameOf(spec)}`) },
    config: { digest: configDigest(spec), bytes: Buffer.from(JSON.stringify(configOf(spec))) },
    layers: spec.layers.map(([layer]) => ({ digest: digest(layer) })),
  };
  return { digest: digest(index), variants: [variant] } as unknown as FinalImage;
}

const BASE: Spec = {
  layers: [
    ["a", "1"],
    ["b", "2"],
  ],
};

test("an image with the same digest is the same", () => {
  const found = compareImages({ digest: digest("f"), variants: [published(BASE)] }, rebuilt(BASE, "f"));
  expect(found).toMatchObject({ same: true, sameContent: true, platforms: [{ same: true, layers: [] }] });
});

test("layers of another compression have the same content", () => {
  const other: Spec = {
    layers: [
      ["a", "1"],
      ["c", "2"],
    ],
  };
  const found = compareImages({ digest: digest("f"), variants: [published(BASE)] }, rebuilt(other, "e"));
  expect(found).toMatchObject({ same: false, sameContent: true });
  expect(found.platforms[0]).toMatchObject({ sameConfig: true, config: [] });
  expect(found.platforms[0]?.layers.map(({ result }) => result)).toEqual(["same", "compression"]);
});

test("layers and settings that differ are named", () => {
  const other: Spec = {
    layers: [
      ["a", "1"],
      ["c", "3"],
      ["d", "4"],
    ],
    env: ["A=1"],
  };
  const found = compareImages({ digest: digest("f"), variants: [published(BASE)] }, rebuilt(other, "e"));
  expect(found).toMatchObject({ same: false, sameContent: false });
  expect(found.platforms[0]).toMatchObject({ sameConfig: false, config: ["config.Env"] });
  expect(found.platforms[0]?.layers.map(({ number, result }) => `${number} ${result}`)).toEqual([
    "1 same",
    "2 different",
    "3 only rebuilt",
  ]);
});

test("a platform that only one of them has is named", () => {
  const variant = { ...published(BASE), platform: "linux/arm64" };
  const found = compareImages({ digest: digest("f"), variants: [variant] }, rebuilt(BASE, "e"));
  expect(
    found.platforms.map(({ platform, published: one, rebuilt: other }) => [platform, one, other]),
  ).toEqual([
    ["linux/amd64", undefined, expect.any(String)],
    ["linux/arm64", expect.any(String), undefined],
  ]);
  expect(found.sameContent).toBe(false);
});

test("settings in another order are the same", () => {
  const image = published(BASE);
  const ordered = {
    ...image.config,
    config: { Env: [], Healthcheck: { Test: ["CMD", "true"], Retries: 3 } },
  };
  const other = rebuilt({ ...BASE, env: ["A=1"] }, "e");
  const [variant] = other.variants;
  const config = { ...ordered, config: { Healthcheck: { Retries: 3, Test: ["CMD", "true"] }, Env: [] } };
  const found = compareImages({ digest: digest("f"), variants: [{ ...image, config: ordered }] }, {
    ...other,
    variants: [{ ...variant, config: { ...variant?.config, bytes: Buffer.from(JSON.stringify(config)) } }],
  } as unknown as FinalImage);
  expect(found.platforms[0]?.config).toEqual([]);
});
