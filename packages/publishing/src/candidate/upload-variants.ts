import type { PublishContext } from "../targets/publish-context.js";
import type { Variant } from "@tgo/builders";
import { referenceOf, type Target } from "../targets/target.js";

/**
 * Lets the engine push all variants to one registry under a tag of no meaning. The engine compresses each
 * layer once, whatever the number of registries.
 * @returns the reference with the digest the engine reports
 */
export async function uploadVariants(
  context: PublishContext,
  target: Target,
  service: string,
  variants: readonly Variant[],
  tag: string,
): Promise<string> {
  const [first, ...others] = variants;
  if (first === undefined) throw new Error("no variant to upload");
  let container = first.container;
  const { credentials } = target;
  if (credentials !== undefined && "password" in credentials) {
    const secret = context.client.setSecret(`registry-password-${target.name}`, credentials.password);
    container = container.withRegistryAuth(target.registry.host, credentials.username, secret);
  }
  // A fresh array each call: the SDK replaces its elements by ids.
  return container.publish(referenceOf(target, service, tag), {
    platformVariants: others.map((variant) => variant.container),
    ...(target.service === undefined ? {} : { registryService: target.service }),
  });
}
