import type { Container } from "@dagger.io/dagger";
import type { Variant, BuildContext } from "@tgo/builders";
import { TgoError } from "@tgo/errors";
import { duration } from "@tgo/report";
import { referenceOf, type Target } from "../targets/target.js";
import { withinTime } from "../publish/time-limits.js";

/**
 * The engine does not say how far an upload is, and waits for ever on a connection that died: its tunnel to a registry
 * keeps connections that the registry has closed. One attempt may take this long, in milliseconds.
 */
const UPLOAD_LIMIT_MS = 30 * 60_000;
/** The same through a tunnel, which usually leads to this machine. */
const TUNNEL_LIMIT_MS = 5 * 60_000;

interface Upload {
  readonly target: Target;
  readonly service: string;
  readonly variants: readonly Variant[];
  readonly tag: string;
  /** Ends the wait for the upload: its image failed its test. */
  readonly stop?: AbortSignal;
  /** Time limit of an attempt, in milliseconds; by default as above. */
  readonly limitMs?: number;
}

/**
 * Lets the engine push all variants to one registry under a staging tag. The engine compresses each layer once,
 * however many registries there are. An upload that stalls is begun once more, under another tag and on new
 * connections; it sends only what the registry lacks.
 * @returns the digest of what it pushed
 * @throws TgoError UNAVAILABLE when both attempts exceed the time limit; the reason of `stop` at once
 */
export async function pushStaging(
  context: Pick<BuildContext, "client" | "progress">,
  upload: Upload,
): Promise<string> {
  const { target, service, tag } = upload;
  const limitMs = upload.limitMs ?? (target.service === undefined ? UPLOAD_LIMIT_MS : TUNNEL_LIMIT_MS);
  const first = await withinTime(push(context, upload), limitMs, upload.stop);
  if (first !== undefined) return first;
  const limit = duration(limitMs);
  context.progress.note(
    { step: "upload", service, registry: target.name },
    `not finished after ${limit}: trying once more`,
  );
  const second = await withinTime(push(context, { ...upload, tag: `${tag}-2` }), limitMs, upload.stop);
  if (second !== undefined) return second;
  throw new TgoError("UNAVAILABLE", `the engine's upload did not finish within ${limit}, twice`, {
    where: target.registry.host,
    remedy:
      "If the registry closes idle connections within seconds, let it keep them longer; then run the same command again.",
  });
}

async function push(
  context: Pick<BuildContext, "client">,
  { target, service, variants, tag }: Upload,
): Promise<string> {
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
