import type { Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import { type Variant, type BuildContext, scanRoot } from "@tgo/builders";

export interface CheckResult {
  readonly platform: Platform;
  readonly files: number;
  readonly elf: number;
}

const SHOWN = 20;

/**
 * Looks at every file of a variant: an ELF file for another machine would fail on the user's, not on ours.
 * The configuration's architecture proves nothing (index and configuration are written from one field).
 * @throws TgoError CHECK listing the wrong files by path
 */
export async function checkVariant(
  context: BuildContext,
  service: string,
  { platform, container }: Variant,
  allow: readonly string[],
): Promise<CheckResult> {
  const actual = await container.platform();
  if (String(actual) !== platform) {
    throw new TgoError("CHECK", `the ${platform} variant of ${service} says it is ${actual}`, {
      remedy: "The base image lacks this platform; choose one that has it.",
    });
  }
  const report = await scanRoot(context, container.rootfs(), platform, allow);
  if (report.foreign.length > 0) throw foreignFiles(report.foreign, platform, service);
  if (report.elf === 0) {
    throw new TgoError(
      "CHECK",
      `the ${platform} variant of ${service} has no program in it: 0 ELF files in ${report.files}`,
      {
        remedy: "Check the base image: an image without a single ELF file cannot start.",
      },
    );
  }
  return { platform, files: report.files, elf: report.elf };
}

function foreignFiles(
  foreign: readonly { readonly path: string; readonly machine: string }[],
  platform: Platform,
  service: string,
): TgoError {
  const shown = foreign.slice(0, SHOWN).map(({ path, machine }) => `  ${path} (${machine})`);
  const more = foreign.length > SHOWN ? [`  and ${foreign.length - SHOWN} more`] : [];
  const files = foreign.length === 1 ? "1 file" : `${foreign.length} files`;
  const are = foreign.length === 1 ? "is" : "are";
  return new TgoError(
    "CHECK",
    [`${files} of the ${platform} variant of ${service} ${are} for another machine:`, ...shown, ...more].join(
      "\n",
    ),
    {
      remedy:
        "Remove them from the source or build them per platform; files that are data there go into the " +
        "service's allowForeign in tgo.catalog.json.",
    },
  );
}
