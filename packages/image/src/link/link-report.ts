/** What a program, an extension module or a library needs, and would not get when it is loaded. */
export interface LinkFinding {
  /**
   * - interpreter: the loader that a program names is not in the image, or not for its machine.
   * - library: a DT_NEEDED is nowhere where the loader looks.
   * - version: the library that is found does not define the symbol versions.
   * - libc: built for glibc, where only musl is.
   * - malformed: the file's tables cannot be read.
   * - limit: too much to look through; the rest was not checked.
   */
  readonly kind: "interpreter" | "library" | "version" | "libc" | "malformed" | "limit";
  /** The file with the need, from the image's root. */
  readonly file: string;
  /** What it needs: a library's name, an interpreter's path. */
  readonly library?: string;
  /** The symbol versions that are not defined. */
  readonly versions?: readonly string[];
  /** Where the library is: without these versions, or where the loader does not look. */
  readonly found?: string;
  /** The program or extension module that loads the file, if that is another one; the first of them. */
  readonly root?: string;
  /** The package that installed the file: "libpq5 15.8 (dpkg)". */
  readonly package?: string;
  /** Why a malformed file cannot be read; in a note, why it is no failure. */
  readonly why?: string;
}

/** The outcome of the link proof of one root file system. */
export interface LinkReport {
  /** Programs and extension modules whose needs were followed. */
  readonly roots: number;
  /** Libraries that they load, each once. */
  readonly libraries: number;
  /** What keeps programs and extension modules from starting; the first {@link MAX_LINK_FINDINGS}. */
  readonly failures: readonly LinkFinding[];
  /** What does not: libraries that nothing loads, optional modules; the first {@link MAX_LINK_FINDINGS}. */
  readonly notes: readonly LinkFinding[];
}

export const MAX_LINK_FINDINGS = 200;

/** A finding as one line. */
export function linkFindingText({
  kind,
  file,
  library = "",
  versions = [],
  found,
  root,
  package: owner,
  why,
}: LinkFinding): string {
  const name = owner === undefined ? file : `${file} (${owner})`;
  const needs = {
    interpreter: `needs the interpreter ${library}, which is ${found === undefined ? "not in the image" : `for another machine`}`,
    library: `needs ${library}, which is ${found === undefined ? "not in the image" : `at ${found}, where its loader does not look`}`,
    version: `needs ${versions.join(", ")} of ${library}, which ${found ?? "the library"} does not have`,
    libc: `is built for glibc (it needs ${versions.join(", ")}), and the program that loads it runs on musl`,
    malformed: `cannot be loaded`,
    limit: `needs more than can be checked`,
  }[kind];
  return [
    `${name} ${needs}`,
    ...(why === undefined ? [] : [`: ${why}`]),
    ...(root === undefined ? [] : [`; ${root} loads it`]),
  ].join("");
}

/** What to do about failures: one sentence for each kind among them. */
export function linkRemedy(findings: readonly LinkFinding[]): string {
  const kinds = new Set<string>(
    findings.map(({ kind, found }) => (kind === "library" && found ? "path" : kind)),
  );
  const name = findings.find(({ kind, found }) => kind === "library" && found === undefined)?.library ?? "";
  const remedies: Readonly<Record<string, string>> = {
    interpreter:
      "An interpreter comes with the C library: install a build of the program for the base image's (glibc on Debian, musl on Alpine).",
    library: `Add the package with ${name} to the image: on Alpine "so:${name}", on Debian ${debianPackage(name)}.`,
    path: "Where a library is in the image but not found: set the program's RUNPATH, run ldconfig, or set LD_LIBRARY_PATH in the image.",
    version:
      "Symbol versions are those of a newer system: use a newer base image, or build or choose the file for this one.",
    libc: "Install the build for musl (musllinux), or use a base image with glibc.",
    malformed: "Build or download the damaged file again.",
    limit: "Remove files that the image does not need.",
  };
  const order = ["interpreter", "library", "path", "version", "libc", "malformed", "limit"];
  return [
    ...order.filter((kind) => kinds.has(kind)).map((kind) => remedies[kind] ?? ""),
    "A file that is never loaded can be listed in allowForeign of the service.",
  ].join(" ");
}

/** Debian Policy 8.1: named after the library and its version. */
function debianPackage(library: string): string {
  const [, name, version] = /^(lib.+?)\.so(?:\.(\d+))?/.exec(library) ?? [];
  if (name === undefined) return "the one that has it";
  const plain = name.toLowerCase().replaceAll("_", "-");
  return `usually ${plain}${/\d$/.test(plain) && version !== undefined ? "-" : ""}${version ?? ""}`;
}
