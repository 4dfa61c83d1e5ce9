import type { Machine, Platform } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import {
  type BillFiles,
  type ElfReport,
  linkFindingText,
  linkRemedy,
  misfitRemedy,
  misfitText,
  type LinkReport,
  type Misfit,
} from "@tgo/image";
import { type BuildContext, scanRoot, type Variant } from "@tgo/builders";
import { leaveOut, machineName, promisedMachines } from "./machines/machine-proof.js";

export interface CheckResult {
  readonly platform: Platform;
  readonly files: number;
  readonly elf: number;
  readonly links: LinkSummary;
  /** Files that promised machines cannot load, and that nothing of the image loads; one line each. */
  readonly notes: readonly string[];
  /** What a bill of materials is made of, if it was asked for. */
  readonly billFiles?: BillFiles;
}

/** Programs and extension modules that find their libraries. */
export interface LinkSummary {
  /** How many they are. */
  readonly roots: number;
  /** How many libraries they load. */
  readonly libraries: number;
  /** Needs that are not met and keep nothing from starting, one line each. */
  readonly notes: readonly string[];
}

const MAX_FILES = 20;
const MAX_NOTED = 3;

/**
 * Checks every file of a variant: an ELF file for another architecture, or a program without a library that it needs,
 * or a file that a promised machine cannot load, would fail only on the user's machine. The architecture in the image configuration is no evidence, because it is
 * written from the same field as the index.
 * @throws TgoError CHECK listing the foreign files, or else what programs and extension modules lack, or else what promised
 * machines cannot load
 */
export async function checkVariant(
  context: BuildContext,
  service: string,
  { platform, container }: Variant,
  allow: readonly string[],
  { bill = false }: { readonly bill?: boolean } = {},
): Promise<CheckResult> {
  const actual = await container.platform();
  if (String(actual) !== platform) {
    throw new TgoError("CHECK", `the ${platform} variant of ${service} is configured for ${actual}`, {
      remedy: "Its base image lacks this platform: choose one that has it.",
    });
  }
  const machines = context.catalog.machines[platform];
  const libraryPath = await container.envVariable("LD_LIBRARY_PATH");
  const report = await scanRoot(context, container.rootfs(), platform, {
    allow,
    machines: promisedMachines(platform, machines),
    ...(libraryPath ? { libraryPath } : {}),
    ...(bill ? { bill } : {}),
  });
  if (report.foreign.length > 0) throw foreignFiles(report.foreign, platform, service);
  if (report.elf === 0) {
    throw new TgoError(
      "CHECK",
      `the ${platform} variant of ${service} contains no program: none of its ${report.files} files is an ELF file`,
      {
        remedy: "Check the base image: an image without any ELF file cannot start.",
      },
    );
  }
  const { links } = report;
  if (links.failures.length > 0) throw missingLibraries(links, platform, service);
  const { misfits = [] } = report;
  const loaded = misfits.filter((misfit) => misfit.loaded);
  if (loaded.length > 0)
    throw unloadable(loaded, `the ${platform} variant of ${service}`, { platform, machines });
  return {
    platform,
    notes: [...unloadedNotes(misfits.filter((misfit) => !misfit.loaded)), ...linkNotes(links)],
    files: report.files,
    elf: report.elf,
    links: { roots: links.roots, libraries: links.libraries, notes: links.notes.map(linkFindingText) },
    ...(report.billFiles === undefined ? {} : { billFiles: report.billFiles }),
  };
}

function missingLibraries({ failures }: LinkReport, platform: Platform, service: string): TgoError {
  const shown = failures.slice(0, MAX_FILES).map((finding) => `  ${linkFindingText(finding)}`);
  const more = failures.length > MAX_FILES ? [`  and ${failures.length - MAX_FILES} more`] : [];
  return new TgoError(
    "CHECK",
    [
      `programs or modules of the ${platform} variant of ${service} cannot be loaded:`,
      ...shown,
      ...more,
    ].join("\n"),
    { remedy: linkRemedy(failures) },
  );
}

function linkNotes({ notes }: LinkReport): string[] {
  if (notes.length === 0) return [];
  const shown = notes.slice(0, MAX_NOTED).map(linkFindingText);
  const more = notes.length > MAX_NOTED ? `; and ${notes.length - MAX_NOTED} more` : "";
  return [`optional, or loaded by nothing: ${shown.join("; ")}${more}`];
}

function unloadable(
  misfits: readonly Misfit[],
  variant: string,
  promised: { readonly platform: Platform; readonly machines: readonly Machine[] },
): TgoError {
  const names = machinesOf(misfits);
  const affected = promised.machines.filter((machine) => names.includes(machineName(machine)));
  const shown = misfits.slice(0, MAX_FILES).map((misfit) => `  ${misfitText(misfit)}`);
  const more = misfits.length > MAX_FILES ? [`  and ${misfits.length - MAX_FILES} more`] : [];
  const files = misfits.length === 1 ? "1 file" : `${misfits.length} files`;
  return new TgoError(
    "CHECK",
    [`${files} of ${variant} cannot be loaded on ${names.join(", ")}:`, ...shown, ...more].join("\n"),
    { remedy: `${misfitRemedy(misfits)}\n${leaveOut(promised.platform, affected)}` },
  );
}

function machinesOf(misfits: readonly Misfit[]): string[] {
  return [...new Set(misfits.flatMap(({ machines }) => machines))];
}

/** @param misfits of files that nothing loads */
function unloadedNotes(misfits: readonly Misfit[]): string[] {
  if (misfits.length === 0) return [];
  const shown = misfits.slice(0, MAX_NOTED).map(misfitText);
  const more = misfits.length > MAX_NOTED ? ` and ${misfits.length - MAX_NOTED} more` : "";
  return [`nothing loads what ${machinesOf(misfits).join(", ")} cannot: ${shown.join("; ")}${more}`];
}

function foreignFiles(foreign: ElfReport["foreign"], platform: Platform, service: string): TgoError {
  const shown = foreign
    .slice(0, MAX_FILES)
    .map(
      (file) => `  ${file.path} (${file.machine})${file.package === undefined ? "" : ` of ${file.package}`}`,
    );
  const more = foreign.length > MAX_FILES ? [`  and ${foreign.length - MAX_FILES} more`] : [];
  const files = foreign.length === 1 ? "1 file" : `${foreign.length} files`;
  const are = foreign.length === 1 ? "is" : "are";
  return new TgoError(
    "CHECK",
    [
      `${files} of the ${platform} variant of ${service} ${are} for another architecture:`,
      ...shown,
      ...more,
    ].join("\n"),
    {
      remedy: `${foreignRemedy(foreign, platform)} If they are only data, list them in allowForeign of the service in tgo.catalog.json.`,
    },
  );
}

function foreignRemedy(foreign: ElfReport["foreign"], platform: Platform): string {
  const packages = [...new Set(foreign.flatMap((file) => file.package ?? []))];
  const own = "Remove them from the source, or build them for each platform.";
  if (packages.length === 0) return own;
  const theirs =
    `Choose another version of ${packages.join(", ")}, or one that is built for ${platform}: ` +
    "a package for every machine must not have programs for one.";
  return foreign.every((file) => file.package !== undefined) ? theirs : `${theirs} ${own}`;
}
