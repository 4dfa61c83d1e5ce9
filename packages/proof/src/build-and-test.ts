import { buildVariants, type BuildContext, type BuildRequest, type Built } from "@tgo/builders";
import { compareVariants } from "./parity.js";
import { retryIfCanceled, testVariant, type VariantProof } from "./test-variant.js";

/** A built service, and the proof of each variant. */
export interface TestedBuild {
  readonly built: Built;
  readonly proofs: readonly VariantProof[];
}

/** Builds a service, then checks and smoke-tests the image of every platform. */
export async function buildAndTest(
  context: BuildContext,
  request: BuildRequest,
  options: { readonly smoke?: boolean } = {},
): Promise<TestedBuild> {
  const built = await context.progress.step(
    { step: "build", service: request.name },
    () => retryIfCanceled(context, () => buildVariants(request)),
    ({ variants }) => ({ detail: variants.map(({ platform }) => platform).join(", ") }),
  );
  const [differences, proofs] = await Promise.all([
    compareVariants(context, request, built.variants),
    Promise.all(built.variants.map((variant) => testVariant(context, request, variant, options))),
  ]);
  return { built, proofs: proofs.map((proof) => ({ ...proof, differences })) };
}
