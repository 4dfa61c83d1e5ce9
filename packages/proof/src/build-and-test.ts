import { errorMessage, buildVariants, type BuildRequest, type Built, type BuildContext } from "@tgo/builders";
import { checkVariant, type CheckResult } from "./check-variant.js";
import { smokeVariant, type SmokeResult } from "./smoke-variant.js";

/** Builds, checks and runs every variant of a service. */
export async function buildAndTest(
  context: BuildContext,
  request: BuildRequest,
  { smoke = true }: { smoke?: boolean } = {},
): Promise<{ built: Built; checks: CheckResult[]; smokes: SmokeResult[] }> {
  const { name, service } = request;
  const { progress } = context;
  const built = await progress.step(
    { step: "build", service: name },
    () => retryIfCanceled(context, () => buildVariants(request)),
    ({ variants }) => ({ detail: variants.map(({ platform }) => platform).join(", ") }),
  );
  const proofs = await Promise.all(
    built.variants.map(async (variant) => {
      const { platform } = variant;
      const check = await progress.step(
        { step: "check", service: name, platform },
        () => retryIfCanceled(context, () => checkVariant(context, name, variant, service.allowForeign)),
        ({ files, elf }) => ({ detail: `${files} files, ${elf} ELF, all for ${platform}` }),
      );
      if (!smoke) return { check, smoke: undefined };
      const smoked = await progress.step(
        { step: "smoke", service: name, platform },
        () => retryIfCanceled(context, () => smokeVariant(context, name, service, variant)),
        ({ machine, lines }) => ({ detail: [machine, ...lines].join("; ") }),
      );
      return { check, smoke: smoked };
    }),
  );
  return {
    built,
    checks: proofs.map(({ check }) => check),
    smokes: proofs.flatMap((proof) => proof.smoke ?? []),
  };
}

/**
 * Dagger lets equal steps of two sessions share one run. When the session that began it is stopped, the other one
 * fails with it, though nothing is wrong: once more, then.
 */
async function retryIfCanceled<T>(context: BuildContext, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (context.signal?.aborted === true || !errorMessage(error).includes("context canceled")) throw error;
    return run();
  }
}
