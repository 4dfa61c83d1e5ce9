import type { ElfFacts } from "../elf/elf-facts.js";
import { nameOf } from "./link-tree.js";

/** What a process begins with, or loads by name at its own wish. */
export type RootKind = "program" | "python module" | "node addon";

/** ET_EXEC, ET_DYN */
const LOADABLE: ReadonlySet<number> = new Set([2, 3]);

/** What is loaded without being a DT_NEEDED of anything; undefined for libraries, and for what is never loaded. */
export function rootKind(path: string, facts: ElfFacts): RootKind | undefined {
  if (!isLoadable(path, facts)) return undefined;
  if (facts.interpreter !== undefined) return "program";
  if (path.endsWith(".node")) return "node addon";
  if (!path.endsWith(".so")) return undefined;
  // https://peps.python.org/pep-3149/ and `importlib.machinery.EXTENSION_SUFFIXES`
  if (/\.(?:(?:cpython|pypy|graalpy)[^/.]*(?:-[^/.]*)?|abi3)\.so$/.test(path)) return "python module";
  return facts.pythonModule === true && isAmongModules(path) ? "python module" : undefined;
}

/** Whether only a file's symbols tell if it is a module: it is where Python looks for modules. */
export function isAmongModules(path: string): boolean {
  return path.endsWith(".so") && /\/(?:site-packages|dist-packages|lib-dynload)\//.test(path);
}

/** Whether a loader takes the file: no object file, core dump or debug information. */
export function isLoadable(path: string, { type }: ElfFacts): boolean {
  return LOADABLE.has(type) && !path.startsWith("/usr/lib/debug/") && !path.endsWith(".debug");
}

/** Programs that load modules of this kind. */
export function hostOf(kind: RootKind): RegExp | undefined {
  switch (kind) {
    case "python module":
      return /^(?:python|pypy|graalpy)[\d.]*[a-z]*$/;
    case "node addon":
      return /^(?:node|nodejs|electron|bun)$/;
    case "program":
      return undefined;
  }
}

/**
 * Why a missing library of this root is no failure. Packages ship modules that they try to load and do without, and the
 * driver of a GPU puts its own libraries into a container.
 */
export function whyOptional(path: string, library: string): string | undefined {
  // Docker's own python:slim images have _tkinter without Tk.
  if (/\/lib-dynload\/(?:_tkinter|_gdbm|_dbm|nis)\./.test(path))
    return "an optional module of Python's standard library";
  if (/\/numba\/np\/ufunc\/(?:tbb|omp)pool\./.test(path)) return "numba does without it";
  if (/\/mpi4py\/MPI\.[a-z]+\./.test(path)) return "mpi4py has one module for each MPI";
  if (/^lib(?:cuda|nvcuvid|nvoptix|nvidia-[a-z0-9-]+)\.so/.test(library))
    return "the GPU driver of the machine provides the library";
  return undefined;
}

/**
 * What the builds of one Node package for several C libraries have in common in their paths; undefined elsewhere.
 * Package managers may install them side by side, and the package loads the one that fits.
 */
export function buildName(path: string): string | undefined {
  return /\/(?:node_modules|prebuilds)\//.test(path)
    ? path.replace(/[-.]?(?:musl|glibc|gnu)/g, "")
    : undefined;
}

/** Which C library a file was built for, as far as its needs tell. */
export function libcOf(facts: ElfFacts): "glibc" | "musl" | undefined {
  const { interpreter = "", needed = [] } = facts;
  if (/\/ld-musl-/.test(interpreter) || needed.some((name) => name.startsWith("libc.musl-"))) return "musl";
  const isGlibc =
    /\/ld-linux/.test(interpreter) || needed.some((name) => /^(?:libc\.so\.6$|ld-linux)/.test(name));
  return isGlibc || glibcVersion(facts) !== undefined ? "glibc" : undefined;
}

/**
 * The newest version of glibc's symbols that a file needs; musl has none of them. libgcc, on any libc, has a GLIBC_2.0.
 */
export function glibcVersion({ versionsNeeded = [] }: ElfFacts): string | undefined {
  const versions = versionsNeeded.flatMap(({ library, versions }) =>
    /^(?:ld-linux.*|lib(?:c|m|pthread|dl|rt|util|resolv))\.so/.test(library)
      ? versions.filter((version) => version.startsWith("GLIBC_"))
      : [],
  );
  return versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
}

export function isHost(path: string, pattern: RegExp): boolean {
  return pattern.test(nameOf(path));
}
