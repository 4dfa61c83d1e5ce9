import type { Container } from "@dagger.io/dagger";
import type { Variant, BuildContext } from "@tgo/builders";
import { TgoError } from "@tgo/errors";
import { referenceOf, type Target } from "../targets/target.js";

/**
 * Lets the engine push all variants to one registry under a staging tag. The engine compresses each layer once,
 * however many registries there are.
 * @returns the digest of what it pushed
 */
export async function pushStaging(
  context: Pick<BuildContext, "client">,
  upload: {
    readonly target: Target;
    readonly service: string;
    readonly variants: readonly Variant[];
    readonly tag: string;
  },
): Promise<string> {
  const { target, service, variants, tag } = upload;
  const [first, ...others] = variants;
  if (first === undefined) throw new TgoError("INTERNAL", `${service} has no variant to upload`);
  // A new array for every call: the SDK replaces its elements with ids.
  const container = withRegistryLogin(context, target, first.container);
  const pushed = await container.publish(referenceOf(target, service, tag), {
    platformVariants: others.map((variant) => variant.container),
    ...(target.service === undefined ? {} : { registryService: target.service }),
  });
  return pushed.slice(pushed.indexOf("@") + 1);
}

/**
 * Gives the engine a registry's credentials. Without a user name, the secret is an identity token, which the engine
 * exchanges for a registry token: containerd's core/remotes/docker/auth/fetch.go in Dagger's, as in docker and BuildKit.
 */
export function withRegistryLogin(
  { client }: Pick<BuildContext, "client">,
  { name, registry, credentials }: Target,
  container: Container,
): Container {
  if (credentials === undefined) return container;
  const [username, value] =
    "password" in credentials
      ? [credentials.username, credentials.password]
      : ["", credentials.identityToken];
  const secret = client.setSecret(`registry-password-${name}`, value);
  return container.withRegistryAuth(registry.host, username, secret);
}
