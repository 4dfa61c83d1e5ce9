import type { ElfHeader } from "./elf-header.js";

/** Versions that a file needs of one library: one entry of SHT_GNU_verneed, gABI "Version Needs Section". */
export interface VersionNeed {
  /** `vn_file`: the DT_NEEDED name of the library. */
  readonly library: string;
  /** `GLIBC_2.34`. Weak needs are left out: the loader lets them be missing. */
  readonly versions: readonly string[];
}

/**
 * What the loader, and a check of the machines it runs on, needs of one ELF file. A plain object: it can be sent to
 * another thread, and printed as JSON. A field that is absent is not in the file, unless {@link problem} says that not
 * all of it could be read.
 */
export interface ElfFacts extends ElfHeader {
  /** `e_type`: 1 object file, 2 program at a fixed address, 3 library or position-independent program, 4 core dump. */
  readonly type: number;
  /** PT_INTERP: the program's loader. A file with one is a program, or a library that can be run. */
  readonly interpreter?: string;
  /** DT_NEEDED, in the file's order. */
  readonly needed?: readonly string[];
  /** DT_SONAME */
  readonly soname?: string;
  /** DT_RPATH, as in the file: `$ORIGIN/../lib:/opt/lib`. */
  readonly rpath?: string;
  /** DT_RUNPATH, as in the file. */
  readonly runpath?: string;
  /** DF_1_NODEFLIB: the loader's default directories are not searched for what this file needs. */
  readonly noDefaultLibraries?: true;
  /** DF_1_PIE: a position-independent program; those of old linkers lack it. */
  readonly pie?: true;
  /** GNU symbol versions that the file needs, by library. */
  readonly versionsNeeded?: readonly VersionNeed[];
  /** GNU symbol versions that the file defines, without the one that names the file itself. */
  readonly versionsDefined?: readonly string[];
  /** It defines or needs a symbol named PyInit_…: an extension module of Python. Only told of files without a DT_SONAME. */
  readonly pythonModule?: true;
  /** Of glibc's loader: the directories in which it looks by default, in order. They are compiled in. */
  readonly systemDirectories?: readonly string[];
  /**
   * The largest page size, in bytes, with which every PT_LOAD segment can be mapped: `p_align` is a multiple of it, and
   * so is the distance of `p_vaddr` from `p_offset`. glibc's loader and Linux refuse the file, or it crashes, on a
   * system with larger pages. Absent without a PT_LOAD. At most 2^30.
   */
  readonly largestPageSize?: number;
  /** GNU_PROPERTY_X86_ISA_1_NEEDED: bit 0 x86-64-v1 ("baseline"), 1 v2, 2 v3, 3 v4. */
  readonly x86IsaNeeded?: number;
  /** GNU_PROPERTY_AARCH64_FEATURE_1_AND: bit 0 BTI, 1 PAC; both run on processors without them. */
  readonly aarch64Features?: number;
  /** Why not all of the above could be read: "its dynamic section is outside the file". */
  readonly problem?: string;
}

/** The machine of the file, without what only its loader needs. */
export function headerOf({ class: bits, endianness, machine }: ElfFacts): ElfHeader {
  return { class: bits, endianness, machine };
}
