import type { Container } from "@dagger.io/dagger";
import type { PythonBuild, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import program from "./imports.py";

interface Module {
  readonly module: string;
  /** Name and version of its package. */
  readonly package: string;
}

/** The output of imports.py. */
export interface ImportReport {
  readonly packages: number;
  /** The number of modules that it tried to import. */
  readonly modules: number;
  /** Modules skipped because of `smoke.skipImports`. */
  readonly skipped: readonly string[];
  /** Modules that need an optional package which is not in the lock. */
  readonly optional: readonly (Module & { readonly needs: string })[];
  readonly failed: readonly (Module & { readonly error: string })[];
}

const PROGRAM = "/run/tgo/imports.py";

/** How many modules a message lists; a missing library may affect very many. */
const MAX_MODULES = 10;

/** Adds imports.py, which is not part of the image. */
export function withImports(container: Container): Container {
  return container.withNewFile(PROGRAM, program, { permissions: 0o644 });
}

/** Runs imports.py with the interpreter of the virtual environment. */
export function importsCommand(
  build: PythonBuild,
  smoke: Pick<Service["smoke"], "skipImports" | "timeoutSeconds">,
): string[] {
  const input = JSON.stringify({ skip: smoke.skipImports, seconds: smoke.timeoutSeconds });
  return [`${build.environment}/bin/python`, PROGRAM, input];
}

/**
 * Summarizes the output of imports.py, without times, so that equal results give equal lines.
 * @throws TgoError SMOKE naming the modules that cannot be imported
 */
export function importLines(output: string, where: string): string[] {
  const report = parse(output, where);
  if (report.failed.length > 0) throw importFailure(report, where);
  const skipped = report.skipped.length === 0 ? "" : `, skipped: ${report.skipped.join(", ")}`;
  const imported = report.modules - report.optional.length;
  const lines = [
    `imports: ${count(imported, "module")} of ${count(report.packages, "package")} ok${skipped}`,
  ];
  if (report.optional.length > 0) {
    const named = report.optional.map(({ module, needs }) => `${module} (needs ${needs})`);
    lines.push(`imports: missing optional packages: ${limit(named).join(", ")}`);
  }
  return lines;
}

function parse(output: string, where: string): ImportReport {
  try {
    // The program is ours, from the same build: its output needs no schema.
    return JSON.parse(output) as ImportReport;
  } catch (cause) {
    throw new TgoError("INTERNAL", "imports.py did not print JSON", { where, cause });
  }
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
