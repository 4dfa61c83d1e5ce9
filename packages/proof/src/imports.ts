import type { Container } from "@dagger.io/dagger";
import type { PythonBuild, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import program from "./imports.py";
import type { SharedPrograms, SharedResult } from "./shared-interpreter.js";
import sharing from "./shared_interpreter.py";

interface Module {
  readonly module: string;
  /** Name and version of its package. */
  readonly package: string;
}

/** What modules were loaded of the standard library. */
export interface StandardLibrary {
  /** Extension modules, by name. */
  readonly modules: readonly string[];
  /** Files of others, in the library's folder. */
  readonly files: readonly string[];
}

/** The output of imports.py. */
export interface ImportReport {
  /** `platform.machine()` */
  readonly machine: string;
  /** Packages whose modules it imports. */
  readonly packages: number;
  /** Packages and modules that it left out because their files are the same on another platform. */
  readonly equal: { readonly packages: number; readonly modules: number };
  /** Packages whose import looks at the machine; only if it watched. */
  readonly looks?: readonly string[];
  /** What the imports loaded of the standard library; only if it watched. */
  readonly standard?: StandardLibrary;
  /** The number of modules that it tried to import. */
  readonly modules: number;
  /** Modules skipped because of `smoke.skipImports`. */
  readonly skipped: readonly string[];
  /** Modules that need an optional package which is not in the lock. */
  readonly optional: readonly (Module & { readonly needs: string })[];
  readonly failed: readonly (Module & { readonly error: string })[];
  /** What its forks ran, if it was to share its interpreter and no import failed. */
  readonly shared?: SharedResult;
}

const FOLDER = "/run/tgo";
const PROGRAM = `${FOLDER}/imports.py`;

/** How many modules a message lists; a missing library may affect very many. */
const MAX_MODULES = 10;

/** Adds imports.py and what it imports itself, which are not part of the image. */
export function withImports(container: Container): Container {
  return container
    .withNewFile(PROGRAM, program, { permissions: 0o644 })
    .withNewFile(`${FOLDER}/shared_interpreter.py`, sharing, { permissions: 0o644 });
}

/** Options of imports.py; see there. */
export interface ImportOptions {
  /** Whether to report what the imports depend on besides the packages' files. */
  readonly watch?: boolean;
  /** Packages that it leaves out. */
  readonly equal?: readonly string[];
  /** What these packages need of the standard library. */
  readonly standard?: StandardLibrary;
  /** Commands and servers that it runs in forks of the interpreter that has imported the packages. */
  readonly share?: SharedPrograms;
}

/** Runs imports.py with the interpreter of the virtual environment. */
export function importsCommand(
  build: PythonBuild,
  smoke: Pick<Service["smoke"], "skipImports" | "timeoutSeconds">,
  options: ImportOptions = {},
): string[] {
  const input = JSON.stringify({ skip: smoke.skipImports, seconds: smoke.timeoutSeconds, ...options });
  return [`${build.environment}/bin/python`, PROGRAM, input];
}

/** The report in the output of imports.py. */
export function readImports(output: string, where: string): ImportReport {
  try {
    // The program is ours, from the same build: its output needs no schema.
    return JSON.parse(output) as ImportReport;
  } catch (cause) {
    throw new TgoError("INTERNAL", "imports.py did not print JSON", { where, cause });
  }
}

/**
 * Summarizes a report, without times, so that equal results give equal lines.
 * @param run where it ran and how, and the platform whose imports stand for packages with equal files
 * @throws TgoError SMOKE naming the modules that cannot be imported
 */
export function importLines(
  report: ImportReport,
  { where, how, native }: { readonly where: string; readonly how: string; readonly native: string },
): string[] {
  const { failed, skipped, optional, modules, packages, equal } = report;
  if (failed.length > 0) throw importFailure(report, where);
  const without = skipped.length === 0 ? "" : `, skipped: ${skipped.join(", ")}`;
  const imported = count(modules - optional.length, "module");
  const lines = [`imports: ${imported} of ${count(packages, "package")} ok${without} [${how}]`];
  if (optional.length > 0) {
    const named = optional.map(({ module, needs }) => `${module} (needs ${needs})`);
    lines.push(`imports: missing optional packages: ${limit(named).join(", ")} [${how}]`);
  }
  if (equal.packages > 0) {
    const left = `${count(equal.modules, "module")} of ${count(equal.packages, "package")}`;
    lines.push(`imports: ${left} with the same files as on ${native}, imported there [equal bytes]`);
  }
  return lines;
}

function importFailure({ failed, modules }: ImportReport, where: string): TgoError {
  const lines = failed.map((each) => `  ${each.module} (${each.package}): ${each.error}`);
  return new TgoError(
    "SMOKE",
    `${failed.length} of ${modules} modules of the locked packages cannot be imported:\n${limit(lines).join("\n")}`,
    { where, remedy: remedyOf(failed.map(({ error }) => error)) },
  );
}

function remedyOf(errors: readonly string[]): string {
  const skip =
    "If a module is not meant to be imported on its own, add it to smoke.skipImports in the catalog.";
  const libraries = new Set(
    errors.flatMap((error) => /(\S+\.so[.\d]*): cannot open shared object file/.exec(error)?.[1] ?? []),
  );
  if (libraries.size > 0) {
    return `Add the Debian package that contains ${[...libraries].sort().join(", ")} to build.packages in the catalog.`;
  }
  if (errors.some((error) => error.startsWith("the interpreter "))) {
    return (
      "If only the emulated platform crashes, run the smoke test on a machine of that platform: the emulator " +
      `may be the cause. ${skip}`
    );
  }
  return (
    "Add the Debian package with the missing program or library to build.packages, or choose another version of " +
    `the Python package. ${skip}`
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function limit(texts: readonly string[]): string[] {
  const more = texts.length - MAX_MODULES;
  return more > 0 ? [...texts.slice(0, MAX_MODULES), `and ${more} more`] : [...texts];
}
