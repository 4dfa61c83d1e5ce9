import type { FileBytes } from "./file-bytes.js";
import { ELF_HEADER_BYTES, readElfHeader } from "./elf-header.js";

/** One program header, gABI "Program Header". Offsets, sizes and alignment in bytes. */
export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly alignment: number;
}

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_GNU_PROPERTY = 0x6474e553;

/** Linkers write a dozen; Linux refuses a table of more than 64 KiB. */
const MAX_HEADERS = 1024;

/** Numbers of an ELF file, in its byte order. */
export class Fields {
  readonly #view: DataView;

  constructor(
    bytes: Uint8Array,
    private readonly little: boolean,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.#view.byteLength;
  }

  u16(at: number): number {
    return this.#view.getUint16(at, this.little);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, this.little);
  }

  /** Infinity for what no file offset can be. */
  u64(at: number): number {
    const high = this.u32(this.little ? at + 4 : at);
    if (high >= 2 ** 21) return Number.POSITIVE_INFINITY;
    return high * 2 ** 32 + this.u32(this.little ? at : at + 4);
  }

  /** `Elf32_Word` or `Elf64_Xword`, by the file's class. */
  word(at: number, bits: 32 | 64): number {
    return bits === 64 ? this.u64(at) : this.u32(at);
  }
}

/** The program headers of an ELF file, or why they cannot be read. Without any: none. */
export function readProgramHeaders(file: FileBytes): readonly ProgramHeader[] | string {
  const start = file.read(0, 64);
  const header = start && start.length >= ELF_HEADER_BYTES ? readElfHeader(start) : undefined;
  if (start === undefined || header === undefined) return "its header cannot be read";
  const { class: bits, endianness } = header;
  if (start.length < (bits === 64 ? 64 : 52)) return "its header is cut off";
  const little = endianness === "little";
  const elf = new Fields(start, little);
  const offset = elf.word(bits === 64 ? 32 : 28, bits);
  const size = elf.u16(bits === 64 ? 54 : 42);
  const count = elf.u16(bits === 64 ? 56 : 44);
  if (count === 0) return [];
  if (size !== (bits === 64 ? 56 : 32)) return `its program headers have ${size} bytes each`;
  if (count > MAX_HEADERS) return `it has ${count} program headers`;
  const bytes = within(file, offset, count * size);
  if (typeof bytes === "string") return `its program headers are ${bytes}`;
  const table = new Fields(bytes, little);
  return Array.from({ length: count }, (_, index) => {
    const at = index * size;
    const word = (wide: number, narrow: number): number =>
      table.word(at + (bits === 64 ? wide : narrow), bits);
    return {
      type: table.u32(at),
      flags: table.u32(at + (bits === 64 ? 4 : 24)),
      offset: word(8, 4),
      address: word(16, 8),
      fileSize: word(32, 16),
      alignment: word(48, 28),
    };
  });
}

/** Exactly these bytes, or why they are not there: "outside the file". */
export function within(file: FileBytes, offset: number, length: number): Uint8Array | string {
  if (!(offset + length <= file.size)) return "outside the file";
  return file.read(offset, length) ?? "in a part of a large file that is not kept";
}
