import type { FileBytes } from "./file-bytes.js";
import { ELF_HEADER_BYTES, readElfHeader } from "./elf-header.js";
import { type ProgramHeader, PT_DYNAMIC, PT_INTERP, PT_LOAD, readProgramHeaders } from "./program-headers.js";

/**
 * What is kept of the beginning of a file. Tables of symbols and their names come first: libtorch's have 6 MB, Node's 8.
 */
const MAX_HEAD = 8 * 1024 * 1024;
/** What is kept after it, of all segments that end there. patchelf moves the names of large libraries to the end. */
const MAX_SEGMENTS = 6 * 1024 * 1024;

/**
 * Keeps of an ELF file that is read as a stream what `readElfFacts` looks for, within bounds: of its first 8 MiB, and
 * after them of the small segments, what is no code. Of any other file it keeps nothing.
 */
export class StreamedElf implements FileBytes {
  #seen = 0;
  #kept: { offset: number; bytes: Uint8Array }[] = [];
  #isElf: boolean | undefined;
  /** The program headers that say what is kept; undefined until they can be read. */
  #ranges: readonly ProgramHeader[] | undefined;

  /** @param size of the whole file, in bytes */
  constructor(readonly size: number) {}

  /** False as soon as it is known that the file is not ELF: the rest need not be pushed. */
  get wanted(): boolean {
    return this.#isElf !== false;
  }

  /** The next bytes of the file, which must not change any more: what it keeps of them is no copy. */
  push(chunk: Uint8Array): void {
    const offset = this.#seen;
    this.#seen += chunk.length;
    if (this.#isElf === false || chunk.length === 0) return;
    if (this.#isWanted(offset, chunk.length)) this.#kept.push({ offset, bytes: chunk });
    if (this.#isElf !== undefined || this.#seen < Math.min(ELF_HEADER_BYTES, this.size)) return;
    this.#isElf = readElfHeader(this.read(0, ELF_HEADER_BYTES) ?? Buffer.alloc(0)) !== undefined;
    if (!this.#isElf) this.#kept = [];
  }

  read(offset: number, length: number): Uint8Array | undefined {
    const end = Math.min(offset + length, this.size);
    if (end <= offset) return new Uint8Array(0);
    let at = this.#indexAt(offset);
    const first = this.#kept[at];
    if (first === undefined) return undefined;
    if (end <= first.offset + first.bytes.length)
      return first.bytes.subarray(offset - first.offset, end - first.offset);
    const result = Buffer.alloc(end - offset);
    for (let filled = offset; filled < end; at++) {
      const part = this.#kept[at];
      if (part === undefined || part.offset > filled) return undefined;
      const bytes = part.bytes.subarray(filled - part.offset, end - part.offset);
      result.set(bytes, filled - offset);
      filled += bytes.length;
    }
    return result;
  }

  /** Of the kept chunk that has the byte; the number of chunks if none has. */
  #indexAt(offset: number): number {
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const part = this.#kept[middle];
      if (part === undefined || offset < part.offset + part.bytes.length) high = middle;
      else low = middle + 1;
    }
    const found = this.#kept[low];
    return found !== undefined && found.offset <= offset ? low : this.#kept.length;
  }

  #isWanted(offset: number, length: number): boolean {
    // Program headers follow the header, nearly always.
    if (offset < HEADERS) return true;
    this.#ranges ??= keptRanges(this);
    return this.#ranges.some(
      (range) => range.offset < offset + length && range.offset + range.fileSize > offset,
    );
  }
}

const HEADERS = 4096;

/** The dynamic section and the segments without code, as far as they are in the head, or small. */
function keptRanges(file: FileBytes): ProgramHeader[] {
  const PF_X = 1;
  const head = { type: PT_LOAD, flags: 0, offset: 0, address: 0, fileSize: MAX_HEAD, alignment: 1 };
  const segments = readProgramHeaders(file);
  if (typeof segments === "string") return [head];
  let left = MAX_SEGMENTS;
  return segments
    .filter(({ type, flags, offset }) => {
      // Older linkers put code and tables into one segment, at the beginning.
      return (
        type === PT_DYNAMIC ||
        type === PT_INTERP ||
        (type === PT_LOAD && ((flags & PF_X) === 0 || offset === 0))
      );
    })
    .sort((a, b) => a.fileSize - b.fileSize)
    .flatMap((segment) => {
      const inHead = Math.min(segment.offset + segment.fileSize, MAX_HEAD) - segment.offset;
      if (inHead >= segment.fileSize) return [segment];
      if (segment.fileSize <= left) {
        left -= segment.fileSize;
        return [segment];
      }
      return inHead > 0 ? [{ ...segment, fileSize: inHead }] : [];
    });
}
