import { packageText } from "../packages/installed-package.js";
import { type PackageInventory, readPackages } from "../packages/package-files.js";
import type { Platform } from "../platform.js";
import { proveLinks } from "../link/prove-links.js";
import type { LinkFinding, LinkReport } from "../link/link-report.js";
import type { LinkTree } from "../link/link-tree.js";
import { MachineScan, type Misfit, type PromisedMachine } from "../machines/machine-scan.js";
import type { ElfFacts } from "./elf-facts.js";
import type { ElfHeader } from "./elf-header.js";
import { isNeutral, machineName, programsOf } from "./elf-machine.js";
import { pathPattern } from "./path-pattern.js";
import { extensionMachine } from "./python-extension.js";

/** Paths are not counted in an image that is full of them. */
export const MAX_FOREIGN = 1000;

/** What the ELF files of one root file system were built for. */
export interface ElfReport {
  /** Regular files seen; hard links count each. */
  readonly files: number;
  /** ELF files among them. */
  readonly elf: number;
  /** ELF files by machine: `{ "x86-64": 1200 }`. */
  readonly machines: Readonly<Record<string, number>>;
  /**
   * Files for another machine than the platform's, by path, the first {@link MAX_FOREIGN}; neither neutral nor allowed.
   * When a file's header is right but its name is not (a Python extension module), `machine` says both.
   */
  readonly foreign: readonly ForeignFile[];
  /** Whether programs and extension modules find the libraries that they need. */
  readonly links: LinkReport;
  /** Files that promised machines cannot load, by path; absent if none was promised. */
  readonly misfits?: readonly Misfit[];
}

/** What a scan needs of a root file system beside its ELF files. */
export interface ScannedTree extends Omit<LinkTree, "elf"> {
  /** The files that `packageFileKind` knows, with their content. Called when a package has to be named. */
  readonly packageFiles: () => Iterable<readonly [path: string, content: Uint8Array]>;
}

export interface ForeignFile {
  readonly path: string;
  readonly machine: string;
  /** The package that installed it: "numpy 2.0.0 (python)". */
  readonly package?: string;
}

export interface ElfScanOptions {
  /** Path patterns from the root, in the syntax of {@link pathPattern}: files that the platform need not be able to run. */
  readonly allow?: readonly string[];
  /** LD_LIBRARY_PATH in the image's configuration. */
  readonly libraryPath?: string;
  /** Machines whose loaders must take every file. */
  readonly machines?: readonly PromisedMachine[];
}

/**
 * Counts files and finds the foreign ones.
 *
 * The rule: an ELF file is foreign when its machine, word size or byte order is not what its platform's kernel and
 * loader run natively. This holds for programs, libraries and object files alike, wherever they are, since any of them may be
 * loaded. The 32-bit sibling (i386 on amd64, arm on arm64) is foreign too: its loader is not in the image. Code for no
 * CPU (BPF, CUDA, AMD GPU, `EM_NONE`) is neutral. Directories with binaries for several platforms are allowed by path.
 * A Python extension module whose name says another machine is foreign too: nothing would ever load it.
 */
export class ElfScan {
  #files = 0;
  readonly #machines = new Map<string, number>();
  readonly #foreign: { path: string; machine: string }[] = [];
  readonly #expected: ElfHeader;
  readonly #isAllowed: (path: string) => boolean;
  readonly #libraryPath: string;
  readonly #facts = new Map<string, ElfFacts>();
  readonly #machineScan: MachineScan | undefined;

  constructor(platform: Platform, { allow = [], libraryPath = "", machines = [] }: ElfScanOptions = {}) {
    this.#machineScan = machines.length === 0 ? undefined : new MachineScan(machines);
    this.#expected = programsOf(platform);
    this.#libraryPath = libraryPath;
    const patterns = allow.map(pathPattern);
    this.#isAllowed = (path) => patterns.some((pattern) => pattern.test(path));
  }

  /** @param path from the root, with its leading slash @param header undefined when the file is not ELF */
  add(path: string, header: ElfFacts | undefined): void {
    this.#files++;
    if (header === undefined) return;
    this.#facts.set(path, header);
    const name = machineName(header);
    this.#machines.set(name, (this.#machines.get(name) ?? 0) + 1);
    if (header.machine === this.#expected.machine && !this.#isAllowed(path))
      this.#machineScan?.add(path, header);
    if (this.#foreign.length === MAX_FOREIGN) return;
    const reason = this.#whyForeign(path, header);
    if (reason !== undefined && !this.#isAllowed(path)) this.#foreign.push({ path, machine: reason });
  }

  #whyForeign(path: string, header: ElfHeader): string | undefined {
    if (isNeutral(header)) return undefined;
    const expected = this.#expected;
    if (
      header.machine !== expected.machine ||
      header.class !== expected.class ||
      header.endianness !== expected.endianness
    )
      return machineName(header);
    const named = extensionMachine(path);
    if (named === undefined || named.machine === header.machine) return undefined;
    return `${machineName(header)}, but named for ${named.name}: Python ignores it`;
  }

  /** @param tree the rest of the same root file system */
  report({ packageFiles, ...tree }: ScannedTree): ElfReport {
    const ownerOf = ownersIn(packageFiles);
    const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
    return {
      files: this.#files,
      elf: [...this.#machines.values()].reduce((sum, count) => sum + count, 0),
      machines: Object.fromEntries([...this.#machines].sort(([a], [b]) => byText(a, b))),
      foreign: this.#foreign
        .sort((a, b) => byText(a.path, b.path))
        .map((file) => {
          const owner = ownerOf(file.path);
          return owner === undefined ? file : { ...file, package: owner };
        }),
      links: this.#proveLinks(tree, ownerOf),
      ...(this.#machineScan === undefined ? {} : { misfits: this.#machineScan.report(ownerOf) }),
    };
  }

  #proveLinks(tree: Omit<LinkTree, "elf">, ownerOf: (path: string) => string | undefined): LinkReport {
    const options = { expected: this.#expected, isAllowed: this.#isAllowed, libraryPath: this.#libraryPath };
    const report = proveLinks({ ...tree, elf: this.#facts }, options);
    const named = (finding: LinkFinding): LinkFinding => {
      const owner = ownerOf(finding.file);
      return owner === undefined ? finding : { ...finding, package: owner };
    };
    return { ...report, failures: report.failures.map(named), notes: report.notes.map(named) };
  }
}

/** The package that installed a file. The databases are read when first asked. */
function ownersIn(packageFiles: ScannedTree["packageFiles"]): (path: string) => string | undefined {
  let inventory: PackageInventory | undefined;
  return (path) => {
    inventory ??= readPackages(packageFiles());
    const owner = inventory.ownerOf(path);
    return owner && packageText(owner);
  };
}
