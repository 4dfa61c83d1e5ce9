import { ELF_HEADER_BYTES, readElfHeader, type ElfHeader } from "../elf/elf-header.js";
import type { ContentScan } from "./tar-reader.js";

/** What is kept of a regular file's content: plain data, which a worker thread can send. */
export interface FileFacts {
  /** Of an ELF file. */
  readonly elf?: ElfHeader;
}

/**
 * Looks at a regular file while its bytes pass: the one place that decides which bytes of which files are looked at.
 * Memory is bounded by what it keeps until the file ends.
 */
export class FileScan implements ContentScan<FileFacts> {
  #head: Buffer = Buffer.alloc(0);

  add(bytes: Buffer): boolean {
    this.#head = Buffer.concat([this.#head, bytes.subarray(0, ELF_HEADER_BYTES - this.#head.length)]);
    return this.#head.length < ELF_HEADER_BYTES;
  }

  facts(): FileFacts | undefined {
    const elf = readElfHeader(this.#head);
    return elf === undefined ? undefined : { elf };
  }
}
