import { isUtf8 } from "node:buffer";
import type { FileBytes } from "./file-bytes.js";
import type { ElfFacts, VersionNeed } from "./elf-facts.js";
import { ELF_HEADER_BYTES, readElfHeader } from "./elf-header.js";
import {
  Fields,
  PT_DYNAMIC,
  PT_GNU_PROPERTY,
  PT_INTERP,
  PT_LOAD,
  PT_NOTE,
  type ProgramHeader,
  readProgramHeaders,
  within,
} from "./program-headers.js";

/** Names of files and versions; Linux takes paths of 4096 bytes. */
const MAX_NAME = 4096;
/** RPATH and RUNPATH are lists of paths. */
const MAX_PATHS = 64 * 1024;
/** Names that are read at once; a file with more has them read one by one. Nine in ten have less than 3 KB. */
const MAX_TABLE = 16 * 1024;
/** Of all names of one file, in bytes: what its facts take in memory. glibc's own version names have 2 KB. */
const MAX_NAMES = 256 * 1024;
/** A dynamic section has 40 entries; that of a file with a thousand libraries would fit too. */
const MAX_DYNAMIC = 64 * 1024;
/** Version tables: glibc's libc.so.6 defines 40, and no file needs a thousand. */
const MAX_VERSIONS = 4096;
/** Names that are searched for one; extension modules have less than 100 KB of them. */
const MAX_SEARCHED = 4 * 1024 * 1024;
const MAX_INTERPRETER = 4096;
const MAX_NOTES = 64 * 1024;

/** d_tag: gABI "Dynamic Section", and GNU's. */
const [DT_NULL, DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH] = [0, 1, 5, 10, 14, 15, 29];
const [DT_FLAGS_1, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM] = [
  0x6ffffffb, 0x6ffffffc, 0x6ffffffd, 0x6ffffffe, 0x6fffffff,
];
const READ_TAGS: ReadonlySet<number> = new Set([
  ...[DT_STRTAB, DT_STRSZ, DT_SONAME, DT_RPATH, DT_RUNPATH],
  ...[DT_FLAGS_1, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM],
]);
const [DF_1_NODEFLIB, DF_1_PIE] = [0x800, 0x08000000];
const [VER_FLG_BASE, VER_FLG_WEAK] = [1, 2];

const NT_GNU_PROPERTY_TYPE_0 = 5;
const GNU_PROPERTY_X86_ISA_1_NEEDED = 0xc0008002;
const GNU_PROPERTY_AARCH64_FEATURE_1_AND = 0xc0000000;
const EM_AARCH64 = 183;

/**
 * Reads what a loader reads of an ELF file: through the program headers, since loaders and stripped files know no
 * sections. Never throws for what the file says; what is wrong, or too large to be true, is its `problem`, and all that
 * could be read before is there.
 * @returns undefined when the file is not ELF
 * @see https://www.sco.com/developers/gabi/latest/ch5.dynamic.html and
 * https://refspecs.linuxfoundation.org/LSB_5.0.0/LSB-Core-generic/LSB-Core-generic/symversion.html
 */
export function readElfFacts(file: FileBytes, { symbols = true }: ElfReadOptions = {}): ElfFacts | undefined {
  const start = file.read(0, ELF_HEADER_BYTES);
  const header = start && readElfHeader(start);
  if (start === undefined || header === undefined) return undefined;
  const type = new Fields(start, header.endianness === "little").u16(16);
  const facts: Writable<ElfFacts> = { ...header, type };
  try {
    new Reader(file, facts, symbols).read();
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    facts.problem = error.message;
  }
  return facts;
}

export interface ElfReadOptions {
  /** Whether to look for names of symbols: for {@link ElfFacts.pythonModule}. Default true. */
  readonly symbols?: boolean;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

class Malformed extends Error {}

/** `DT_STRTAB` */
interface Names {
  readonly offset: number;
  readonly size: number;
  /** All of it, where that is not much. */
  readonly table?: Uint8Array;
}

class Reader {
  readonly #file: FileBytes;
  readonly #facts: Writable<ElfFacts>;
  readonly #bits: 32 | 64;
  readonly #little: boolean;
  #loads: readonly ProgramHeader[] = [];
  #names: Names | undefined;
  #namesLeft = MAX_NAMES;

  constructor(
    file: FileBytes,
    facts: Writable<ElfFacts>,
    private readonly symbols: boolean,
  ) {
    this.#file = file;
    this.#facts = facts;
    this.#bits = facts.class;
    this.#little = facts.endianness === "little";
  }

  /** @throws Malformed */
  read(): void {
    const segments = readProgramHeaders(this.#file);
    if (typeof segments === "string") throw new Malformed(segments);
    this.#loads = segments.filter(({ type }) => type === PT_LOAD);
    const pageSize = largestPageSize(this.#loads);
    if (pageSize !== undefined) this.#facts.largestPageSize = pageSize;
    // Files with debug information only have the headers of the file that they belong to, without its content.
    const of = (type: number): ProgramHeader | undefined =>
      segments.find((segment) => segment.type === type && segment.fileSize > 0);
    const interpreter = of(PT_INTERP);
    if (interpreter !== undefined) this.#readInterpreter(interpreter);
    this.#readProperties(of(PT_GNU_PROPERTY), segments);
    const dynamic = of(PT_DYNAMIC);
    if (dynamic !== undefined) this.#readDynamic(dynamic);
  }

  #readInterpreter({ offset, fileSize }: ProgramHeader): void {
    if (fileSize > MAX_INTERPRETER) throw new Malformed(`the name of its interpreter has ${fileSize} bytes`);
    const bytes = this.#bytes(offset, fileSize, "the name of its interpreter");
    const end = bytes.indexOf(0);
    if (end === -1) throw new Malformed("the name of its interpreter has no end");
    this.#facts.interpreter = textOf(bytes.subarray(0, end));
  }

  #readProperties(segment: ProgramHeader | undefined, all: readonly ProgramHeader[]): void {
    // Linkers before binutils 2.31 wrote no PT_GNU_PROPERTY.
    const segments = segment
      ? [segment]
      : all.filter(({ type, fileSize }) => type === PT_NOTE && fileSize > 0);
    for (const { offset, fileSize, alignment } of segments) {
      if (fileSize > MAX_NOTES) continue;
      const bytes = within(this.#file, offset, fileSize);
      if (typeof bytes !== "string")
        this.#readNotes(new Fields(bytes, this.#little), alignment === 8 ? 8 : 4);
    }
  }

  /** Notes that make no sense are no problem: the loader ignores them. */
  #readNotes(notes: Fields, alignment: number): void {
    for (let at = 0; at + 12 <= notes.length;) {
      const [nameSize, size, type] = [notes.u32(at), notes.u32(at + 4), notes.u32(at + 8)];
      const content = at + 12 + round(nameSize, 4);
      const GNU = 0x554e47;
      const isGnu = nameSize === 4 && content <= notes.length && this.#gnuName(notes, at + 12, GNU);
      if (isGnu && type === NT_GNU_PROPERTY_TYPE_0 && content + size <= notes.length)
        this.#readProperty(notes, content, content + size);
      at = content + round(size, alignment);
    }
  }

  #gnuName(notes: Fields, at: number, name: number): boolean {
    const value = notes.u32(at);
    return value === (this.#little ? name : 0x474e5500);
  }

  #readProperty(notes: Fields, from: number, end: number): void {
    for (let at = from; at + 8 <= end;) {
      const [type, size] = [notes.u32(at), notes.u32(at + 4)];
      if (size === 4 && at + 12 <= end) {
        const value = notes.u32(at + 8);
        const isArm = this.#facts.machine === EM_AARCH64;
        if (!isArm && type === GNU_PROPERTY_X86_ISA_1_NEEDED) this.#facts.x86IsaNeeded = value;
        if (isArm && type === GNU_PROPERTY_AARCH64_FEATURE_1_AND) this.#facts.aarch64Features = value;
      }
      at += 8 + round(size, this.#bits === 64 ? 8 : 4);
    }
  }

  #readDynamic({ offset, fileSize }: ProgramHeader): void {
    const facts = this.#facts;
    const bytes = this.#bytes(offset, Math.min(fileSize, MAX_DYNAMIC), "its dynamic section");
    const table = new Fields(bytes, this.#little);
    const word = this.#bits / 8;
    const needed: number[] = [];
    const values: Partial<Record<number, number>> = {};
    let ended = false;
    for (let at = 0; at + 2 * word <= table.length && !ended; at += 2 * word) {
      const tag = table.word(at, this.#bits);
      if (tag === DT_NULL) ended = true;
      else if (tag === DT_NEEDED) needed.push(table.word(at + word, this.#bits));
      else if (READ_TAGS.has(tag)) values[tag] = table.word(at + word, this.#bits);
    }
    if (!ended) throw new Malformed("its dynamic section has no end");
    const flags = values[DT_FLAGS_1] ?? 0;
    // The flags are 32 bits wide.
    if ((flags & DF_1_NODEFLIB) !== 0) facts.noDefaultLibraries = true;
    if ((flags & DF_1_PIE) !== 0) facts.pie = true;
    const names = values[DT_STRTAB];
    if (names === undefined) {
      if (needed.length > 0) throw new Malformed("it has no names for the libraries that it needs");
      return;
    }
    this.#names = this.#namesAt(this.#offsetOf(names, "its names"), values[DT_STRSZ] ?? 0);
    const [soname, rpath, runpath] = [values[DT_SONAME], values[DT_RPATH], values[DT_RUNPATH]];
    if (soname !== undefined) facts.soname = this.#name(soname);
    if (rpath !== undefined) facts.rpath = this.#name(rpath, MAX_PATHS);
    if (runpath !== undefined) facts.runpath = this.#name(runpath, MAX_PATHS);
    if (needed.length > 0) facts.needed = needed.map((at) => this.#name(at));
    const isModule = this.symbols && soname === undefined && facts.interpreter === undefined;
    if (isModule && this.#hasName("PyInit_")) facts.pythonModule = true;
    const [needs, defined] = [values[DT_VERNEED], values[DT_VERDEF]];
    if (needs !== undefined) facts.versionsNeeded = this.#versionsNeeded(needs, values[DT_VERNEEDNUM]);
    if (defined !== undefined) facts.versionsDefined = this.#versionsDefined(defined, values[DT_VERDEFNUM]);
    if (facts.versionsDefined?.includes("GLIBC_PRIVATE") === true && /^ld[.\d-]/.test(facts.soname ?? ""))
      this.#readSystemDirectories();
  }

  #namesAt(offset: number, size: number): Names {
    const bytes = size > MAX_TABLE ? undefined : within(this.#file, offset, size);
    // Copied: what was read is valid until the next read.
    return bytes instanceof Uint8Array ? { offset, size, table: Buffer.from(bytes) } : { offset, size };
  }

  /**
   * glibc, elf/dl-load.c, system_dirs: the longest row of strings that are directories. Without one, where the loader is
   * tells.
   */
  #readSystemDirectories(): void {
    const { size } = this.#file;
    const bytes = size > MAX_SEARCHED ? undefined : this.#file.read(0, size);
    if (bytes === undefined) return;
    const rows =
      viewOf(bytes)
        .toString("latin1")
        .match(/(?<=\0)(?:(?:\/[\w.+@-]{1,255}){1,32}\/\0){1,8}/g) ?? [];
    const row = rows.reduce((longest, other) => (other.length > longest.length ? other : longest), "");
    const directories = row.split("/\0").filter((path) => path !== "");
    if (directories.length > 0) this.#facts.systemDirectories = directories;
  }

  /** `Elf64_Verneed`, each with its `Elf64_Vernaux`. */
  #versionsNeeded(address: number, count = 0): VersionNeed[] {
    const what = "its table of needed versions";
    const needs: VersionNeed[] = [];
    let left = MAX_VERSIONS;
    let at = this.#offsetOf(address, what);
    for (let index = 0; index < count; index++) {
      const need = this.#entry(at, 16, what);
      const [entries, library, first, next] = [need.u16(2), need.u32(4), need.u32(8), need.u32(12)];
      const versions: string[] = [];
      let aux = at + first;
      for (let number = entries; number > 0; number--) {
        if (--left < 0) throw new Malformed(`${what} has more than ${MAX_VERSIONS} entries`);
        const version = this.#entry(aux, 16, what);
        const [flags, name, nextAux] = [version.u16(4), version.u32(8), version.u32(12)];
        if ((flags & VER_FLG_WEAK) === 0) versions.push(this.#name(name));
        if (nextAux === 0) break;
        aux += nextAux;
      }
      needs.push({ library: this.#name(library), versions });
      if (--left < 0) throw new Malformed(`${what} has more than ${MAX_VERSIONS} entries`);
      if (next === 0) break;
      at += next;
    }
    return needs;
  }

  /** `Elf64_Verdef`, of each the first `Elf64_Verdaux`: its name. The others name its parents. */
  #versionsDefined(address: number, count = 0): string[] {
    const what = "its table of versions";
    const defined: string[] = [];
    let at = this.#offsetOf(address, what);
    for (let index = 0; index < count; index++) {
      if (index === MAX_VERSIONS) throw new Malformed(`${what} has more than ${MAX_VERSIONS} entries`);
      const definition = this.#entry(at, 20, what);
      const [flags, aux, next] = [definition.u16(2), definition.u32(12), definition.u32(16)];
      const name = this.#entry(at + aux, 8, what).u32(0);
      if ((flags & VER_FLG_BASE) === 0) defined.push(this.#name(name));
      if (next === 0) break;
      at += next;
    }
    return defined;
  }

  /** Whether a name in the table begins with this. */
  #hasName(start: string): boolean {
    const { offset, size } = this.#names ?? { offset: 0, size: 0 };
    if (size > MAX_SEARCHED) return false;
    const bytes = within(this.#file, offset, size);
    return typeof bytes !== "string" && viewOf(bytes).includes(`\0${start}`);
  }

  #name(at: number, limit = MAX_NAME): string {
    const { offset, size, table } = this.#names ?? { offset: 0, size: 0 };
    if (!(at < size)) throw new Malformed("a name is outside its table of names");
    const bytes =
      table?.subarray(at, at + limit) ??
      this.#bytes(offset + at, Math.min(size - at, limit, this.#file.size - offset - at), "a name");
    const end = bytes.indexOf(0);
    if (end === -1) throw new Malformed("a name has no end");
    this.#namesLeft -= end;
    if (this.#namesLeft < 0) throw new Malformed(`its names have more than ${MAX_NAMES} bytes`);
    return textOf(bytes.subarray(0, end));
  }

  /** Valid until the next read. */
  #entry(offset: number, size: number, what: string): Fields {
    return new Fields(this.#bytes(offset, size, what), this.#little);
  }

  /** Of an address in memory, in the file. */
  #offsetOf(address: number, what: string): number {
    const segment = this.#loads.find(
      (load) => load.address <= address && address < load.address + load.fileSize,
    );
    if (segment === undefined) throw new Malformed(`${what} is outside what is loaded`);
    return address - segment.address + segment.offset;
  }

  #bytes(offset: number, length: number, what: string): Uint8Array {
    const bytes = within(this.#file, offset, length);
    if (typeof bytes === "string") throw new Malformed(`${what} is ${bytes}`);
    return bytes;
  }
}

/** Latin 1 for a name that is not UTF-8: loaders compare bytes. */
function textOf(bytes: Uint8Array): string {
  const buffer = bytes instanceof Buffer ? bytes : viewOf(bytes);
  return buffer.toString(isUtf8(buffer) ? "utf8" : "latin1");
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function round(size: number, alignment: number): number {
  return Math.ceil(size / alignment) * alignment;
}

const MAX_PAGE = 2 ** 30;

function largestPageSize(loads: readonly ProgramHeader[]): number | undefined {
  if (loads.length === 0) return undefined;
  return loads.reduce((least, { alignment, address, offset }) => {
    // An alignment of 0 or 1 is none.
    const distance = Math.abs(address - offset);
    return Math.min(least, powerIn(alignment), distance === 0 ? MAX_PAGE : powerIn(distance));
  }, MAX_PAGE);
}

/** The largest power of two that divides the number. */
function powerIn(value: number): number {
  let power = 1;
  while (power < MAX_PAGE && value > 0 && Number.isFinite(value) && value % (power * 2) === 0) power *= 2;
  return power;
}
