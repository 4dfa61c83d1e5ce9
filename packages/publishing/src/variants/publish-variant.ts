import { commitNotes, type PrepareOptions } from "@tgo/builders";
import type { Platform, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import type { VariantProof } from "@tgo/proof";
import type { ServiceReport } from "@tgo/report";
import { buildCandidate, proofsByManifest } from "../candidate/build-candidate.js";
import { variantTag } from "../candidate/candidate-key.js";
import { imageTests } from "../candidate/image-tests.js";
import type { ProofsByManifest } from "../candidate/recorded-proofs.js";
import { prepareCandidate } from "../candidate/prepare-candidate.js";
import { bringImage } from "../publish/bring-image.js";
import type { ImageTests } from "../publish/choose-image.js";
import { notStarted } from "../publish/not-started.js";
import { buildImage } from "../publish/publish.js";
import { reportService } from "../publish/service-report.js";
import type { PublishContext } from "../targets/publish-context.js";
import { splitByRequired } from "../targets/split-by-required.js";
import type { Target } from "../targets/target.js";
import { variantQuery } from "./find-variants.js";
import { nativeTests, requireNative as requireNativeRun } from "./native-tests.js";

export interface VariantOptions extends PrepareOptions {
  readonly platform: Platform;
  /** Whether a run under emulation is refused. */
  readonly requireNative: boolean;
  /** Hash of the pipelines' code, for the proof. */
  readonly pipelines: string;
  /** Receives the proof, by the digest of the variant's manifest. */
  readonly onProof?: (manifest: string, proof: VariantProof) => void;
}

/**
 * Builds, checks and runs the image of one platform, and puts it into one registry under the candidate's key, with its
 * proof attached if there is somebody to sign it. The image is the one that a build of all platforms makes. Never throws
 * for the service's own failure.
 * @param context its platforms are all that the candidate has
 */
export async function publishVariant(
  context: PublishContext,
  name: string,
  service: Service,
  { platform, requireNative, pipelines, onProof = () => undefined, ...options }: VariantOptions,
): Promise<ServiceReport> {
  const target = variantRegistry(context);
  const alone: PublishContext = { ...context, platforms: [platform], targets: [target] };
  return reportService(
    context,
    name,
    async () => {
      if (requireNative && platform !== context.native) throw foreignEngine(context, platform);
      const prepared = await prepareCandidate(context, name, service, options);
      const { key, request } = prepared;
      const query = variantQuery(prepared, platform);
      const [tag] = query.tags;
      const own = imageTests(alone, { name, service }, variantTag(key, platform));
      const accepted = requireNative ? nativeTests(own) : own;
      const tests = telling({ ...accepted, origin: { key, pipelines } }, onProof);
      const { report } = await bringImage(alone, {
        query,
        known: { revision: request.source.revision, tag },
        notes: [
          ...commitNotes(request.source),
          ...(context.attestor?.signs === true && target.registry.referrers !== false
            ? []
            : [
                `${platform}: without a signed proof, it is run again where the image is assembled: ${why(context)}`,
              ]),
        ],
        needsAllRequired: true,
        tests,
        build: (transfer) =>
          buildImage(
            alone,
            {
              service: name,
              build: async (registries) => {
                const built = await buildCandidate(context, prepared, { ...registries, only: platform });
                if (requireNative) built.proofs.forEach(requireNativeRun);
                return {
                  ...built,
                  deliver: async (to) => {
                    const delivered = await built.deliver(to);
                    for (const [digest, proof] of proofsByManifest(delivered.image, built.proofs))
                      onProof(digest, proof);
                    return delivered;
                  },
                };
              },
            },
            transfer,
          ),
      });
      return report;
    },
    () => ({ registries: [notStarted(target, name)] }),
  );
}

/** The registry where platforms' images wait: the first required one that takes signed proofs. */
export function variantRegistry(context: Pick<PublishContext, "targets">): Target {
  const { required } = splitByRequired(context);
  const target = required.find(({ registry }) => registry.referrers !== false) ?? required[0];
  if (target === undefined) throw new TgoError("CATALOG", "the catalog has no registry");
  return target;
}

/** Tests that tell what this engine knows or finds. */
function telling(tests: ImageTests, onProof: NonNullable<VariantOptions["onProof"]>): ImageTests {
  const tell = (proofs: ProofsByManifest): void => {
    for (const [digest, { proof }] of proofs) onProof(digest, proof);
  };
  return {
    ...tests,
    recorded: async (images) => {
      const recorded = await tests.recorded(images);
      tell(recorded.proofs);
      return recorded;
    },
    test: async (image, known, options) => {
      const tested = await tests.test(image, known, options);
      tell(tested);
      return tested;
    },
  };
}

function foreignEngine({ native, engine }: PublishContext, platform: Platform): TgoError {
  return new TgoError(
    "USAGE",
    `${platform} would run under emulation here, and --require-native was given: the engine is of ${native}`,
    { where: engine, remedy: `Run this on a machine of ${platform}.` },
  );
}

function why({ attestor }: PublishContext): string {
  return attestor?.signs === true
    ? 'no required registry takes artifacts ("referrers" in the catalog)'
    : "--signing-key or --identity-token signs it";
}
