import type { Container } from "@dagger.io/dagger";
import type { PythonBuild, Service } from "@tgo/catalog";
import { TgoError } from "@tgo/errors";
import program from "./imports.py";

interface Module {
  readonly module: string;
  /** Name and version of the package it belongs to. */
  readonly package: string;
}

/** What imports.py prints. */
export interface ImportReport {
  readonly packages: number;
  /** Modules that were imported, or tried. */
  readonly modules: number;
  /** Named by `smoke.skipImports`. */
  readonly skipped: readonly string[];
  /** Cannot be imported for want of an optional package that the lock does not install. */
  readonly lacking: readonly (Module & { readonly lacks: string })[];
  readonly failed: readonly (Module & { readonly error: string })[];
}

const PROGRAM = "/run/tgo/imports.py";

/** Modules of a failure that are told; a missing library may concern very many. */
const SHOWN = 10;

/** A run of imports.py by the interpreter the packages were installed for. Nothing of it is in the image. */
export function importsRun(
  container: Container,
  build: PythonBuild,
  smoke: Pick<Service["smoke"], "skipImports" | "timeoutSeconds">,
): Container {
  const input = JSON.stringify({ skip: smoke.skipImports, seconds: smoke.timeoutSeconds });
  return container
    .withNewFile(PROGRAM, program, { permissions: 0o644 })
    .withExec([`${build.environment}/bin/python`, PROGRAM, input]);
}

/**
 * The report's lines. No clock in them: they are written into the image's index.
 * @throws TgoError SMOKE naming the modules that cannot be imported
 */
export function importLines(output: string, where: string): string[] {
  const report = parse(output, where);
  if (report.failed.length > 0) throw importFailure(report, where);
  const skipped = report.skipped.length === 0 ? "" : `, skipped: ${report.skipped.join(", ")}`;
  const fine = report.modules - report.lacking.length;
  const lines = [`imports: ${count(fine, "module")} of ${count(report.packages, "package")} ok${skipped}`];
  if (report.lacking.length > 0) {
    const named = report.lacking.map(({ module, lacks }) => `${module} (needs ${lacks})`);
    lines.push(`imports: only with packages that are not installed: ${some(named).join(", ")}`);
  }
  return lines;
}

function parse(output: string, where: string): ImportReport {
  try {
    // The program is ours and of the same build: its output needs no schema.
    return JSON.parse(output) as ImportReport;
  } catch (cause) {
    throw new TgoError("INTERNAL", "the imports program did not answer with JSON", { where, cause });
  }
}

function importFailure({ failed, modules }: ImportReport, where: string): TgoError {
  const lines = failed.map((each) => `  ${each.module} (${each.package}): ${each.error}`);
  return new TgoError(
    "SMOKE",
    `${failed.length} of ${modules} modules of the locked packages cannot be imported:\n${some(lines).join("\n")}`,
    { where, remedy: remedyOf(failed.map(({ error }) => error)) },
  );
}

function remedyOf(errors: readonly string[]): string {
  const skip =
    "A module that is not meant to be imported by itself goes into smoke.skipImports in the catalog.";
  const libraries = new Set(
    errors.flatMap((error) => /(\S+\.so[.\d]*): cannot open shared object file/.exec(error)?.[1] ?? []),
  );
  if (libraries.size > 0) {
    return `Add the Debian package that brings ${[...libraries].sort().join(", ")} to build.packages in the catalog.`;
  }
  if (errors.some((error) => error.startsWith("the interpreter "))) {
    return (
      "Where only the emulated platform crashes, run the same smoke on a machine of that platform: emulation " +
      `may be what fails. ${skip}`
    );
  }
  return (
    "Add what it misses: a Debian package with the program or library goes into build.packages. " +
    `Or choose another version of the Python package. ${skip}`
  );
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function some(texts: readonly string[]): string[] {
  const more = texts.length - SHOWN;
  return more > 0 ? [...texts.slice(0, SHOWN), `and ${more} more`] : [...texts];
}
