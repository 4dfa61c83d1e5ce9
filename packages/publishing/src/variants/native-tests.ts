import { TgoError } from "@tgo/errors";
import type { VariantProof } from "@tgo/proof";
import type { ProofsByManifest } from "../candidate/recorded-proofs.js";
import type { ImageTests } from "../publish/choose-image.js";

/** Tests whose runs count only on processors of their platform. */
export function nativeTests(tests: ImageTests): ImageTests {
  return {
    ...tests,
    accepts: isNative,
    recorded: async (images) => {
      const { proofs, built } = await tests.recorded(images);
      return { built, proofs: onlyNative(proofs) };
    },
    test: async (image, known, options) => {
      const tested = await tests.test(image, known, options);
      // A released image is not run.
      if (options.run) for (const { proof } of tested.values()) requireNative(proof);
      return tested;
    },
  };
}

function onlyNative(proofs: ProofsByManifest): ProofsByManifest {
  return new Map([...proofs].filter(([, { proof }]) => isNative(proof)));
}

export function isNative({ smoke }: VariantProof): boolean {
  return smoke?.native === true;
}

/** @throws TgoError VERIFY for a run under emulation */
export function requireNative(proof: VariantProof): void {
  if (isNative(proof)) return;
  const { platform, smoke } = proof;
  throw new TgoError("VERIFY", `${platform} ran ${howItRan(smoke)}, and --require-native was given`, {
    remedy: `Build and test it on a machine of ${platform}.`,
  });
}

/** "natively", "under emulation by QEMU 8.2.2" */
export function howItRan(smoke: VariantProof["smoke"]): string {
  if (smoke?.native === true) return "natively";
  if (smoke?.native === undefined) return "nobody knows how";
  return `under emulation${smoke.emulator === undefined ? "" : ` by ${smoke.emulator}`}`;
}
