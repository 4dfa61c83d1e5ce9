import type { Platform as DaggerPlatform } from "@dagger.io/dagger";
import { errorMessage, type Variant } from "@tgo/builders";
import type { Platform, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import { ProofStore, testVariant, type VariantProof } from "@tgo/proof";
import type { FoundImage } from "../publish/image-transfer.js";
import type { PublishContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { withRegistryLogin } from "./upload-variants.js";

type ByManifest = ReadonlyMap<string, VariantProof>;

/** What this engine's store knows of an image's variants. A store that cannot be read knows nothing. */
export async function recordedProofs(
  context: PublishContext,
  { name, service }: { readonly name: string; readonly service: Service },
  { variants }: Pick<Verification, "variants">,
): Promise<ByManifest> {
  try {
    return await new ProofStore(context).read(
      service,
      variants.map(({ digest }) => digest),
    );
  } catch (error) {
    context.progress.note(
      { step: "proof", service: name },
      `the engine's record of earlier tests cannot be read: ${errorMessage(error)}`,
    );
    return new Map();
  }
}

/**
 * Proofs of an image that a registry has. A variant that this engine's store has no proof of is pulled by digest,
 * checked and run again: what an earlier run may have seen is a claim.
 * @throws TgoError CHECK, SMOKE when a variant fails now
 */
export async function proveFound(
  context: PublishContext,
  subject: { readonly name: string; readonly service: Service },
  { from, verification }: FoundImage,
): Promise<ByManifest> {
  const known = await recordedProofs(context, subject, verification);
  const unproven = verification.variants.filter(({ digest }) => known.get(digest)?.smoke === undefined);
  if (unproven.length === 0) return known;
  const tested = await Promise.all(
    unproven.map(async ({ platform, digest }) => {
      const variant = pulled(context, from, subject.name, { platform, digest });
      return [digest, await testVariant(context, subject, variant)] as const;
    }),
  );
  const proofs = new Map(tested);
  await new ProofStore(context).write(subject.service, proofs);
  return new Map([...known, ...proofs]);
}

/** A variant as a registry has it, by the digest of its manifest. */
function pulled(
  context: PublishContext,
  target: Target,
  service: string,
  { platform, digest }: { readonly platform: string; readonly digest: string },
): Variant {
  const planned = context.platforms.find((one): one is Platform => one === platform);
  if (planned === undefined) throw new TgoError("INTERNAL", `${platform} is not a planned platform`);
  const empty = context.client.container({ platform: planned as string as DaggerPlatform });
  const container = withRegistryLogin(context, target, empty).from(
    `${target.registry.host}/${repositoryOf(target, service)}@${digest}`,
    target.service === undefined ? {} : { registryService: target.service },
  );
  return { platform: planned, container };
}
