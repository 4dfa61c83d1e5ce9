import {
  buildVariants,
  builtPlatforms,
  type BuildContext,
  type BuildRequest,
  type Built,
} from "@tgo/builders";
import { compareVariants } from "./parity.js";
import { askMachine } from "./smoke-variant.js";
import { retryIfCanceled, testVariants, type TestOptions, type VariantProof } from "./test-variant.js";

/** A built service, and the proof of each variant. */
export interface TestedBuild {
  readonly built: Built;
  readonly proofs: readonly VariantProof[];
}

export interface BuildAndTestOptions {
  /** Whether to run the variants; true by default. */
  readonly smoke?: boolean;
  /** Called when every variant is built and its files have passed, while they run. */
  readonly onChecked?: (built: Built) => void;
  readonly onBillFiles?: NonNullable<TestOptions["onBillFiles"]>;
}

/** Builds a service, then checks and smoke-tests the image of every platform. */
export async function buildAndTest(
  context: BuildContext,
  request: BuildRequest,
  { onChecked, ...options }: BuildAndTestOptions = {},
): Promise<TestedBuild> {
  // Asked while the build waits for downloads.
  if (options.smoke !== false)
    for (const platform of builtPlatforms(request))
      askMachine(context, request.service, platform).catch(() => undefined);
  const built = await context.progress.step(
    { step: "build", service: request.name },
    () => retryIfCanceled(context, () => buildVariants(request)),
    ({ variants }) => ({ detail: variants.map(({ platform }) => platform).join(", ") }),
  );
  const { variants } = built;
  // The comparison and each variant's check.
  let left = 1 + variants.length;
  const passed = (): void => {
    left -= 1;
    if (left === 0) onChecked?.(built);
  };
  const [differences, proofs] = await Promise.all([
    compareVariants(context, request, variants).then((found) => {
      passed();
      return found;
    }),
    testVariants(context, request, variants, { ...options, onChecked: passed }),
  ]);
  return { built, proofs: proofs.map((proof) => ({ ...proof, differences })) };
}
