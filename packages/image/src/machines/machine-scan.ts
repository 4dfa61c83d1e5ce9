import { posix } from "node:path";
import type { ElfFacts } from "../elf/elf-facts.js";
import { isLoadable, rootKind } from "../link/roots.js";

/** A machine that an image is promised to run on, as far as its files must fit it. A plain object. */
export interface PromisedMachine {
  /** For messages: "Raspberry Pi 5 (16 KiB pages)". */
  readonly name: string;
  /** Size of its kernel's memory pages in bytes. */
  readonly pageSize: number;
  /** amd64: the level of its processor, 1 to 4; absent where files say nothing of it. */
  readonly x86Level?: number;
}

/** A file that promised machines cannot load. */
export interface Misfit {
  /** From the root. */
  readonly path: string;
  /** Names of the machines. */
  readonly machines: readonly string[];
  /** "it is aligned for pages of 4 KiB", "it needs x86-64-v3" */
  readonly why: string;
  /** Whether something of the image loads it: it is a program or an extension module, or another file needs it. */
  readonly loaded: boolean;
  /** The package that installed it: "libpq5 15.8 (dpkg)". */
  readonly package?: string;
}

/** Not counted in an image that is full of them. */
const MAX_MISFITS = 1000;

/** The loader takes these only on processors that have what they need: ld.so(8), "glibc-hwcaps". */
const CHOSEN_BY_PROCESSOR = "/glibc-hwcaps/";

/** Those of the machines, by name, whose loaders take every file that is loaded. */
export function fittingMachines(names: readonly string[], misfits: readonly Misfit[] = []): string[] {
  const loaded = misfits.filter((misfit) => misfit.loaded);
  return names.filter((name) => !loaded.some(({ machines }) => machines.includes(name)));
}

/**
 * Finds the ELF files that promised machines cannot load.
 *
 * A loader maps whole pages: a segment that is aligned for smaller ones is refused ("ELF load command alignment not
 * page-aligned"), or overlaps its neighbour. And glibc refuses a file whose GNU_PROPERTY_X86_ISA_1_NEEDED note names a
 * higher level than the processor has. No file says which Arm instructions it has: only a run on such a processor does.
 * @see https://gitlab.com/x86-psABIs/x86-64-ABI "Program Property"
 */
export class MachineScan {
  readonly #misfits: (Omit<Misfit, "loaded"> & { readonly names: readonly string[] | undefined })[] = [];
  /** DT_NEEDED of all files. */
  readonly #needed = new Set<string>();

  constructor(private readonly machines: readonly PromisedMachine[]) {}

  /** @param path from the root, with its leading slash */
  add(path: string, facts: ElfFacts): void {
    for (const name of facts.needed ?? []) this.#needed.add(posix.basename(name));
    if (this.#misfits.length >= MAX_MISFITS || path.includes(CHOSEN_BY_PROCESSOR)) return;
    if (!isLoadable(path, facts)) return;
    const isRoot = facts.type === ET_EXEC || facts.pie === true || rootKind(path, facts) !== undefined;
    const names = isRoot ? undefined : namesOf(path, facts);
    const groups = new Map<string, string[]>();
    for (const machine of this.machines)
      for (const why of misfits(facts, machine)) groups.set(why, [...(groups.get(why) ?? []), machine.name]);
    for (const [why, machines] of groups) this.#misfits.push({ path, machines, why, names });
  }

  /** By path. @param ownerOf the package that installed a file */
  report(ownerOf: (path: string) => string | undefined = () => undefined): Misfit[] {
    return this.#misfits
      .map(({ names, ...misfit }) => {
        const loaded = names === undefined || names.some((name) => this.#needed.has(name));
        const owner = ownerOf(misfit.path);
        return { ...misfit, loaded, ...(owner === undefined ? {} : { package: owner }) };
      })
      .sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  }
}

function misfits({ largestPageSize, x86IsaNeeded = 0 }: ElfFacts, machine: PromisedMachine): string[] {
  const { pageSize, x86Level } = machine;
  const level = 32 - Math.clz32(x86IsaNeeded);
  return [
    ...(largestPageSize !== undefined && largestPageSize < pageSize
      ? [`it is aligned for pages of ${pagesText(largestPageSize)}`]
      : []),
    ...(x86Level !== undefined && level > x86Level ? [`it needs x86-64-v${level}`] : []),
  ];
}

/** `e_type` of a program at a fixed address. */
const ET_EXEC = 2;

function namesOf(path: string, { soname }: ElfFacts): string[] {
  return [posix.basename(path), ...(soname === undefined ? [] : [soname])];
}

function pagesText(bytes: number): string {
  return bytes < 1024 ? `${bytes} bytes` : `${bytes / 1024} KiB`;
}

/** One line: "/usr/lib/libx.so.1 of libx1 1.0 (dpkg): it is aligned for pages of 4 KiB". */
export function misfitText({ path, why, package: owner }: Misfit): string {
  return `${owner === undefined ? path : `${path} of ${owner}`}: ${why}`;
}

/** What to do about files that a machine cannot load. */
export function misfitRemedy(misfits: readonly Misfit[]): string {
  const isLevel = misfits.some(({ why }) => why.includes("x86-64"));
  const isPages = misfits.some(({ why }) => why.includes("pages"));
  return [
    ...(isPages
      ? [
          "Use a build for larger pages: linkers make one with -z max-page-size=65536 (in RUSTFLAGS: -C link-arg=-Wl,-z,max-page-size=65536).",
        ]
      : []),
    ...(isLevel ? ["Use a build for the baseline: compilers make one with -march=x86-64-v2."] : []),
    "A file that is never loaded can be listed in allowForeign of the service.",
  ].join(" ");
}
