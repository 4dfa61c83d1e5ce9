import { errorMessage, type BuildContext, type Variant } from "@tgo/builders";
import type { Platform, Service } from "@tgo/catalog";
import type { BillFiles } from "@tgo/image";
import { checkVariant, type LinkSummary } from "./check-variant.js";
import { machineProofs, type MachineProof } from "./machines/machine-proof.js";
import { type NativeSibling, nativeSibling } from "./native-sibling.js";
import type { SmokeResult } from "./smoke-result.js";
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
    /** Set if the native run of the same image told some of it. */
    readonly partial?: true;
    /** Whether it ran on a processor of its platform; absent in a proof of an older pipeline. */
    readonly native?: boolean;
    /** What ran it in place of a processor, such as "QEMU 8.2.2". */
    readonly emulator?: string;
    /** Which engine ran it, where a run has several. */
    readonly engine?: string;
  };
  /** Differences between its contents and those of the image's other variants, one line each; absent if not compared. */
  readonly differences?: readonly string[];
  /** The promised machines, in the catalog's order: what is known of the image there. */
  readonly machines?: readonly MachineProof[];
  /** What the check found and did not fail for, one line each. */
  readonly notes?: readonly string[];
}

/** A service whose variants are tested. */
export interface TestSubject {
  readonly name: string;
  readonly service: Service;
}

export interface TestOptions {
  /** Whether to run them; true by default. */
  readonly smoke?: boolean;
  /** Called for each variant whose files passed their check. */
  readonly onChecked?: (variant: Variant) => void;
  /** Receives what a bill of materials of each variant is made of, which the check reads anyway. */
  readonly onBillFiles?: (platform: Platform, files: BillFiles) => void;
}

/**
 * Checks the files of an image's variants and runs them, all at once. Emulated runs leave out what the native one tells.
 * @throws TgoError CHECK, SMOKE
 */
export function testVariants(
  context: BuildContext,
  subject: TestSubject,
  variants: readonly Variant[],
  options: TestOptions = {},
): Promise<VariantProof[]> {
  const sibling = nativeSibling(context, variants);
  return Promise.all(
    variants.map((variant) => testVariant(context, subject, variant, { ...options, sibling })),
  );
}

/**
 * Checks a variant's files and runs it.
 * @param options.sibling the native run of the same image; without it, everything is run
 * @throws TgoError CHECK, SMOKE
 */
export async function testVariant(
  context: BuildContext,
  { name, service }: TestSubject,
  variant: Variant,
  options: TestOptions & { readonly sibling?: NativeSibling | undefined } = {},
): Promise<VariantProof> {
  const { platform } = variant;
  const { smoke = true, onChecked, onBillFiles, sibling } = options;
  try {
    const checking = context.progress.step(
      { step: "check", service: name, platform },
      () =>
        retryIfCanceled(context, () =>
          checkVariant(context, name, variant, service.allowForeign, { bill: onBillFiles !== undefined }),
        ),
      (check) => ({
        detail: `${check.files} files, ${check.elf} ELF, all for ${platform}; ${check.links.roots} programs and modules find their libraries`,
      }),
    );
    // Beside its check, because an emulated run is what a publish waits for. A failure of the check is told before its own.
    const isEmulated = platform !== context.native;
    if (!isEmulated) await checking;
    const running = smoke ? runBeside(context, { name, service }, variant, { sibling, checking }) : undefined;
    running?.catch(() => undefined);
    const { files, elf, links, notes, billFiles } = await checking;
    if (billFiles !== undefined) onBillFiles?.(platform, billFiles);
    onChecked?.(variant);
    const result = await running;
    if (result === undefined) {
      const machines = machineProofs(platform, context.catalog.machines[platform], undefined);
      return { platform, files, elf, links, machines, notes };
    }
    const { machines, ...run } = result;
    const { machine, lines, partial, native, emulator } = run;
    return {
      platform,
      files,
      elf,
      links,
      smoke: {
        ...{ machine, lines, native },
        ...(partial === undefined ? {} : { partial }),
        ...(emulator === undefined ? {} : { emulator }),
      },
      machines,
      notes,
    };
  } finally {
    // Whoever waits for the imports of a run that failed goes on without them.
    if (platform === sibling?.platform) sibling.imported(undefined);
  }
}

interface BesideCheck {
  readonly sibling: NativeSibling | undefined;
  readonly checking: Promise<unknown>;
}

/** Runs a variant while its files are checked. @returns undefined if the check fails, which stops the run */
function runBeside(
  context: BuildContext,
  { name, service }: TestSubject,
  variant: Variant,
  { sibling, checking }: BesideCheck,
): Promise<SmokeResult | undefined> {
  return context.progress.step(
    { step: "smoke", service: name, platform: variant.platform },
    () =>
      Promise.race([
        failedOnly(checking),
        retryIfCanceled(context, () => smokeVariant(context, name, service, variant, { sibling, checking })),
      ]),
    (run) => (run === undefined ? { state: "stopped" } : { detail: [run.machine, ...run.lines].join("; ") }),
  );
}

/** Settles only if the promise is rejected, with undefined. */
function failedOnly(promise: Promise<unknown>): Promise<undefined> {
  return new Promise((resolve) => {
    promise.catch(() => {
      resolve(undefined);
    });
  });
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
