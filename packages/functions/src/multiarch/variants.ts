import type { Container } from "@dagger.io/dagger";
import type { Variant } from "@tgo/builders";
import { parsePlatform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";

/**
 * Containers by the platforms that they are configured for.
 * @throws TgoError USAGE for none, for a platform that is not built, and for two containers of one platform
 */
export async function variantsOf(containers: readonly Container[]): Promise<Variant[]> {
  if (containers.length === 0)
    throw new TgoError("USAGE", "there is no variant to publish", {
      remedy: "Pass one container for each platform.",
    });
  const variants = await Promise.all(
    containers.map(async (container) => ({
      platform: parsePlatform(String(await container.platform())),
      container,
    })),
  );
  const platforms = variants.map(({ platform }) => platform);
  const twice = platforms.find((platform, at) => platforms.indexOf(platform) !== at);
  if (twice !== undefined)
    throw new TgoError("USAGE", `two variants are for ${twice}`, {
      remedy:
        "Pass one container for each platform. A container's platform is set where it begins: dag.container({ platform }).",
    });
  return variants;
}
