import type { Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { Variant } from "@tgo/builders";
import type { Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { testVariant } from "@tgo/proof";
import type { FoundImage } from "../publish/image-lookup.js";
import type { PublishContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import {
  recordedProofs,
  recordProofs,
  type ProofsByManifest,
  type TestedService,
} from "./recorded-proofs.js";
import { withRegistryLogin } from "./push-staging.js";

/**
 * Proofs of an image found in a registry. A variant without a proof in this engine's store is pulled by digest, checked
 * and run: that an earlier run tested it is only a claim.
 * @throws TgoError CHECK, SMOKE when a variant fails now
 */
export async function ensureProofs(
  context: PublishContext,
  subject: TestedService,
  { from, verification: { variants } }: FoundImage,
): Promise<ProofsByManifest> {
  const known = await recordedProofs(context, subject, variants);
  const untested = variants.filter(({ digest }) => known.get(digest)?.proof.smoke === undefined);
  if (untested.length === 0) return known;
  const tested = await Promise.all(
    untested.map(async ({ platform, digest }) => {
      const variant = pullVariant(context, from, subject.name, { platform, digest });
      return [digest, await testVariant(context, subject, variant)] as const;
    }),
  );
  await recordProofs(context, subject, new Map(tested));
  const now = tested.map(([digest, proof]) => [digest, { proof, recorded: false }] as const);
  return new Map([...known, ...now]);
}

/** A variant from a registry, by the digest of its manifest. */
function pullVariant(
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
