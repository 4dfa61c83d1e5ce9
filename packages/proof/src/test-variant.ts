import { errorMessage, type BuildContext, type Variant } from "@tgo/builders";
import type { Platform, Service } from "@tgo/catalog";
import { checkVariant, type LinkSummary } from "./check-variant.js";
import { machineProofs, type MachineProof } from "./machines/machine-proof.js";
import { smokeVariant } from "./smoke-variant.js";

/** The test results of a variant. */
export interface VariantProof {
  readonly platform: Platform;
  /** The number of files checked. */
  readonly files: number;
  /** The number of ELF files among them, all of them for the platform. */
  readonly elf: number;
  /** Whether programs and extension modules find their libraries; absent in a proof of an older pipeline. */
  readonly links?: LinkSummary;
  /** The results of the smoke test; absent if the variant was not run. */
  readonly smoke?: {
    /** The machine that the running variant reports: x86_64, aarch64. */
    readonly machine: string;
    /** One line per step. */
    readonly lines: readonly string[];
  };
  /** Differences between its contents and those of the image's other variants, one line each; absent if not compared. */
  readonly differences?: readonly string[];
  /** The promised machines, in the catalog's order: what is known of the image there. */
  readonly machines?: readonly MachineProof[];
  /** What the check found and did not fail for, one line each. */
  readonly notes?: readonly string[];
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
  const { files, elf, links, notes } = await context.progress.step(
    { step: "check", service: name, platform },
    () => retryIfCanceled(context, () => checkVariant(context, name, variant, service.allowForeign)),
    (check) => ({
      detail: `${check.files} files, ${check.elf} ELF, all for ${platform}; ${check.links.roots} programs and modules find their libraries`,
    }),
  );
  if (!smoke) {
    const machines = machineProofs(platform, context.catalog.machines[platform], undefined);
    return { platform, files, elf, links, machines, notes };
  }
  const { machine, lines, machines } = await context.progress.step(
    { step: "smoke", service: name, platform },
    () => retryIfCanceled(context, () => smokeVariant(context, name, service, variant)),
    (run) => ({ detail: [run.machine, ...run.lines].join("; ") }),
  );
  return { platform, files, elf, links, smoke: { machine, lines }, machines, notes };
}

/**
 * Retries once after a cancellation. Dagger sessions share equal steps: if the session that started a step is stopped, the
 * step fails in the other session too.
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
