import type { Platform as DaggerPlatform } from "@dagger.io/dagger";
import type { Variant } from "@tgo/builders";
import type { Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { testVariant, type VariantProof } from "@tgo/proof";
import { defined } from "@tgo/report";
import type { ImageTests } from "../publish/choose-image.js";
import type { FoundImage } from "../publish/image-lookup.js";
import type { PublishContext } from "../targets/publish-context.js";
import { repositoryOf, type Target } from "../targets/target.js";
import { verifyTag } from "../verify/verify-tag.js";
import {
  recordedProofs,
  recordProofs,
  type ProofsByManifest,
  type TestedService,
} from "./recorded-proofs.js";
import { withRegistryLogin } from "./push-staging.js";

/**
 * Tests of images found in registries: that somebody else tested them is only a claim.
 * @param candidate tag of the candidate that is looked for
 */
export function imageTests(context: PublishContext, subject: TestedService, candidate?: string): ImageTests {
  const record = async (
    known: ProofsByManifest,
    tested: readonly (readonly [string, VariantProof])[],
  ): Promise<ProofsByManifest> => {
    await recordProofs(context, subject, new Map(tested));
    return new Map([
      ...known,
      ...tested.map(([digest, proof]) => [digest, { proof, recorded: false }] as const),
    ]);
  };
  return {
    recorded: (images) => {
      const variants = images.flatMap(({ verification }) => verification.variants);
      return recordedProofs(context, subject, variants, candidate);
    },
    test: async ({ from, verification: { variants } }, known) => {
      const untested = variants.filter(({ digest }) => known.get(digest)?.proof.smoke === undefined);
      const tested = untested.map(async ({ platform, digest }) => {
        const variant = pullVariant(context, from, subject.name, { platform, digest });
        return [digest, await testVariant(context, subject, variant)] as const;
      });
      return record(known, await Promise.all(tested));
    },
    check: async (image, known) => {
      const { variants } = image.verification;
      if (variants.every(({ digest }) => known.has(digest))) return known;
      const checked = await checkLayers(context, subject, image);
      return record(
        known,
        checked.filter(([digest]) => !known.has(digest)),
      );
    },
  };
}

/** Reads the image's layers from the registry, and checks every ELF file. @throws TgoError CHECK */
async function checkLayers(
  context: PublishContext,
  { name, service: { allowForeign } }: TestedService,
  { from, digest }: FoundImage,
): Promise<(readonly [string, VariantProof])[]> {
  const options = { digest, elf: true, allowForeign };
  const { targets, variants } = await verifyTag(context, name, [from], digest, options);
  for (const { code, what, where, remedy } of targets.flatMap(({ problems }) => problems))
    throw new TgoError(code, what, defined({ where, remedy }));
  return variants.flatMap(({ digest: manifest, platform, elf }) =>
    elf === undefined
      ? []
      : [[manifest, { platform: planned(context, platform), files: elf.files, elf: elf.elf }] as const],
  );
}

/** A variant from a registry, by the digest of its manifest. */
function pullVariant(
  context: PublishContext,
  target: Target,
  service: string,
  variant: { readonly platform: string; readonly digest: string },
): Variant {
  const platform = planned(context, variant.platform);
  const empty = context.client.container({ platform: platform as string as DaggerPlatform });
  const container = withRegistryLogin(context, target, empty).from(
    `${target.registry.host}/${repositoryOf(target, service)}@${variant.digest}`,
    target.service === undefined ? {} : { registryService: target.service },
  );
  return { platform, container };
}

function planned({ platforms }: PublishContext, name: string): Platform {
  const platform = platforms.find((one): one is Platform => one === name);
  if (platform === undefined) throw new TgoError("INTERNAL", `${name} is not a planned platform`);
  return platform;
}
