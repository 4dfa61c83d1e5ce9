import { errorMessage, type BuildContext, type Variant } from "@tgo/builders";
import type { Platform, Service } from "@tgo/catalog";
import { checkVariant } from "./check-variant.js";
import { smokeVariant } from "./smoke-variant.js";

/** What was seen of a variant before it was published. */
export interface VariantProof {
  readonly platform: Platform;
  /** Files that were read. */
  readonly files: number;
  /** Those of them that are ELF files, all of them for the platform. */
  readonly elf: number;
  /** The smoke run's; absent when the variant was not run. */
  readonly smoke?: {
    /** What the variant itself says it runs on: x86_64, aarch64. */
    readonly machine: string;
    /** One line a step. */
    readonly lines: readonly string[];
  };
}

/**
 * Checks a variant's files and runs it.
 * @throws TgoError CHECK, SMOKE
 */
export async function testVariant(
  context: BuildContext,
  { name, service }: { readonly name: string; readonly service: Service },
  variant: Variant,
  { smoke = true }: { readonly smoke?: boolean } = {},
): Promise<VariantProof> {
  const { platform } = variant;
  const { files, elf } = await context.progress.step(
    { step: "check", service: name, platform },
    () => retryIfCanceled(context, () => checkVariant(context, name, variant, service.allowForeign)),
    (check) => ({ detail: `${check.files} files, ${check.elf} ELF, all for ${platform}` }),
  );
  if (!smoke) return { platform, files, elf };
  const { machine, lines } = await context.progress.step(
    { step: "smoke", service: name, platform },
    () => retryIfCanceled(context, () => smokeVariant(context, name, service, variant)),
    (run) => ({ detail: [run.machine, ...run.lines].join("; ") }),
  );
  return { platform, files, elf, smoke: { machine, lines } };
}

/**
 * Dagger lets equal steps of two sessions share one run. When the session that started it is stopped, the other one
 * fails with it although nothing is wrong: it is run once more.
 */
export async function retryIfCanceled<T>(
  { signal }: Pick<BuildContext, "signal">,
  run: () => Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (signal?.aborted === true || !errorMessage(error).includes("context canceled")) throw error;
    return run();
  }
}
