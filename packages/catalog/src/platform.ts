import { TgoError } from "@tgo/errors";
import * as v from "@tgo/schemas";

/**
 * The platforms an image can be built for, as `os/architecture`.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#image-index-property-descriptions
 */
export const PLATFORMS = ["linux/amd64", "linux/arm64"] as const;

export const Platform = v.picklist(PLATFORMS);
export type Platform = v.InferOutput<typeof Platform>;

/** @throws TgoError USAGE when the text is not a platform of {@link PLATFORMS}. */
export function parsePlatform(text: string): Platform {
  const platform = PLATFORMS.find((known) => known === text.trim());
  if (platform !== undefined) return platform;
  throw new TgoError("USAGE", `"${text}" is not a platform this product builds`, {
    remedy: `Use one of: ${PLATFORMS.join(", ")}.`,
  });
}
