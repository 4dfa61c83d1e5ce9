import { isDeepStrictEqual } from "node:util";
import type { FinalImage } from "@tgo/image";
import type { ImageConfig, Manifest } from "@tgo/registry";

/** An image of one platform as a registry has it. */
export interface PublishedVariant {
  readonly platform: string;
  /** Of its manifest. */
  readonly digest: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

/** One layer of a platform's image, by its place from the bottom. */
export interface LayerComparison {
  /** From 1. */
  readonly number: number;
  /** "compression": it unpacks to the same content, and was compressed by another program. */
  readonly result: "same" | "compression" | "different" | "only published" | "only rebuilt";
  readonly published?: string;
  readonly rebuilt?: string;
}

export interface VariantComparison {
  readonly platform: string;
  readonly same: boolean;
  readonly published?: string;
  readonly rebuilt?: string;
  /** Whether the configs are the same, in which the digests of what layers unpack to are listed. */
  readonly sameConfig: boolean;
  /** Top fields of the configs that differ, without those of layers. */
  readonly config: readonly string[];
  /** None where the manifests are the same. */
  readonly layers: readonly LayerComparison[];
}

/** What rebuilding an image gave. */
export interface ImageComparison {
  /** The index's digest is the same: then everything is. */
  readonly same: boolean;
  /** Every layer unpacks to the same content, and every config is the same. */
  readonly sameContent: boolean;
  readonly published: string;
  readonly rebuilt: string;
  readonly platforms: readonly VariantComparison[];
}

/** Compares a published image with one that was rebuilt from the same inputs. */
export function compareImages(
  published: { readonly digest: string; readonly variants: readonly PublishedVariant[] },
  rebuilt: FinalImage,
): ImageComparison {
  const names = [
    ...new Set([...published.variants, ...rebuilt.variants].map(({ platform }) => platform)),
  ].sort();
  const platforms = names.map((platform) =>
    compareVariants(
      platform,
      published.variants.find((variant) => variant.platform === platform),
      rebuilt.variants.find((variant) => variant.platform === platform),
    ),
  );
  return {
    same: published.digest === rebuilt.digest,
    sameContent: platforms.every(({ sameConfig }) => sameConfig),
    published: published.digest,
    rebuilt: rebuilt.digest,
    platforms,
  };
}

function compareVariants(
  platform: string,
  published: PublishedVariant | undefined,
  rebuilt: FinalImage["variants"][number] | undefined,
): VariantComparison {
  if (published === undefined || rebuilt === undefined)
    return {
      platform,
      same: false,
      sameConfig: false,
      ...(published === undefined ? {} : { published: published.digest }),
      ...(rebuilt === undefined ? {} : { rebuilt: rebuilt.manifest.digest }),
      config: [],
      layers: [],
    };
  const digests = { published: published.digest, rebuilt: rebuilt.manifest.digest };
  if (digests.published === digests.rebuilt)
    return { platform, same: true, ...digests, sameConfig: true, config: [], layers: [] };
  const config = JSON.parse(new TextDecoder().decode(rebuilt.config.bytes)) as ImageConfig;
  return {
    platform,
    same: false,
    ...digests,
    sameConfig: published.manifest.config.digest === rebuilt.config.digest,
    config: differingFields(published.config, config),
    layers: compareLayers(
      { layers: published.manifest.layers, diffIds: published.config.rootfs.diff_ids },
      { layers: rebuilt.layers, diffIds: config.rootfs.diff_ids },
    ),
  };
}

interface Layers {
  readonly layers: readonly { readonly digest: string }[];
  readonly diffIds: readonly string[];
}

function compareLayers(published: Layers, rebuilt: Layers): LayerComparison[] {
  const length = Math.max(published.layers.length, rebuilt.layers.length);
  return Array.from({ length }, (_, at): LayerComparison => {
    const [before, after] = [published.layers[at]?.digest, rebuilt.layers[at]?.digest];
    const number = at + 1;
    if (before === undefined) return { number, result: "only rebuilt", ...(after && { rebuilt: after }) };
    if (after === undefined) return { number, result: "only published", published: before };
    const isSameContent = published.diffIds[at] === rebuilt.diffIds[at];
    const result = before === after ? "same" : isSameContent ? "compression" : "different";
    return { number, result, published: before, rebuilt: after };
  });
}

/** "config.Env", "created": what a reader looks for; layers are compared by themselves. */
function differingFields(a: ImageConfig, b: ImageConfig): string[] {
  const fields = (config: ImageConfig): Record<string, unknown> => {
    const outer = Object.entries(config).filter(([name]) => name !== "rootfs" && name !== "config");
    const inner = Object.entries(config.config ?? {}).map(([name, value]) => [`config.${name}`, value]);
    return Object.fromEntries([...outer, ...inner]) as Record<string, unknown>;
  };
  const [inA, inB] = [fields(a), fields(b)];
  return [...new Set([...Object.keys(inA), ...Object.keys(inB)])]
    .filter((name) => !isDeepStrictEqual(inA[name], inB[name]))
    .sort();
}
