import type { Platform } from "@tgo/catalog";
import { errorOf, TgoError } from "@tgo/errors";
import type { Verification } from "@tgo/image";
import { compareVariants, testsOf, testVariants, type VariantProof } from "@tgo/proof";
import { defined } from "@tgo/report";
import type { ImageTests } from "../publish/choose-image.js";
import type { FoundImage } from "../publish/image-lookup.js";
import type { PublishContext } from "../targets/publish-context.js";
import type { Target } from "../targets/target.js";
import { verifyTag } from "../verify/verify-tag.js";
import { recordedProofs, recordProofs, type TestedService } from "./recorded-proofs.js";
import { pullVariant } from "./pull-variant.js";

/**
 * Tests of images found in registries: that somebody else tested them is only a claim.
 * @param candidate tag of the candidate that is looked for
 */
export function imageTests(context: PublishContext, subject: TestedService, candidate?: string): ImageTests {
  return {
    key: testsOf(context.catalog, subject.service),
    recorded: (images) => {
      const variants = images.flatMap(({ verification }) => verification.variants);
      return recordedProofs(context, subject, variants, candidate);
    },
    test: async (image, known, { run }) => {
      const untested = image.verification.variants.filter(({ digest }) => {
        const proof = known.get(digest)?.proof;
        return run ? proof?.smoke === undefined : proof === undefined;
      });
      if (untested.length === 0) return known;
      const checked = run ? undefined : await checkLayers(context, subject, image);
      const tested = async (): Promise<[string, VariantProof][]> => {
        const elfOf = (digest: string): { files: number; elf: number } | undefined =>
          checked?.variants.find((variant) => variant.digest === digest)?.elf;
        const pulled = untested.flatMap(({ platform: name, digest }) => {
          const platform = plannedPlatform(context, name);
          if (elfOf(digest) !== undefined) return [];
          const container = pullVariant(context, image.from, subject.name, { platform, digest });
          return [{ platform, container }];
        });
        const proofs = await testVariants(context, subject, pulled);
        return untested.flatMap(({ platform: name, digest }): [string, VariantProof][] => {
          const platform = plannedPlatform(context, name);
          const elf = elfOf(digest);
          if (elf !== undefined) return [[digest, { platform, files: elf.files, elf: elf.elf }]];
          const proof = proofs.find((one) => one.platform === platform);
          return proof === undefined ? [] : [[digest, proof]];
        });
      };
      const [differences, found] = await Promise.all([
        checked === undefined ? compareAll(context, subject, image) : checked.differences,
        tested(),
      ]);
      const proofs = new Map(
        found.map(([digest, proof]) => [digest, { ...proof, ...defined({ differences }) }] as const),
      );
      await recordProofs(context, subject, proofs);
      return new Map([
        ...known,
        ...[...proofs].map(([digest, proof]) => [digest, { proof, recorded: false }] as const),
      ]);
    },
  };
}

/** Reads the image's layers from the registry, and checks every ELF file. @throws TgoError CHECK */
async function checkLayers(
  context: PublishContext,
  { name, service: { allowForeign, allowDifferences } }: TestedService,
  { from, digest }: FoundImage,
): Promise<Verification> {
  const { machines } = context.catalog;
  const options = { digest, elf: true, allowForeign, allowDifferences, machines };
  const verification = await verifyTag(context, name, [from], digest, options);
  const [problem] = verification.targets.flatMap(({ problems }) => problems);
  if (problem !== undefined) throw errorOf(problem);
  return verification;
}

/** Compares the contents of variants in a registry. @throws TgoError CHECK for a difference where that is strict */
export function compareAll(
  context: PublishContext,
  subject: TestedService,
  {
    from,
    verification: { variants },
  }: {
    readonly from: Target;
    readonly verification: {
      readonly variants: readonly { readonly platform: string; readonly digest: string }[];
    };
  },
): Promise<readonly string[]> {
  const pulled = variants.map(({ platform: name, digest }) => {
    const platform = plannedPlatform(context, name);
    return { platform, container: pullVariant(context, from, subject.name, { platform, digest }) };
  });
  return compareVariants(context, subject, pulled);
}

function plannedPlatform({ platforms }: PublishContext, name: string): Platform {
  const platform = platforms.find((one) => one === name);
  if (platform !== undefined) return platform;
  throw new TgoError("INTERNAL", `${name} is not a planned platform`);
}
