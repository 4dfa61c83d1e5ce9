import type { Container, Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { Platform } from "@tgo/catalog";
import type { PublishContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { withRegistryLogin } from "./push-staging.js";

/** A variant from a registry, by the digest of its manifest. */
export function pullVariant(
  context: PublishContext,
  target: Target,
  service: string,
  { platform, digest }: { readonly platform: Platform; readonly digest: string },
): Container {
  const empty = context.client.container({ platform: platform as string as DaggerPlatform });
  return withRegistryLogin(context, target, empty).from(
    `${target.registry.host}/${repositoryOf(target, service)}@${digest}`,
    target.service === undefined ? {} : { registryService: target.service },
  );
}
