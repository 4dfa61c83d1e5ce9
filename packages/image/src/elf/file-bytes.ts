/** The bytes of one file, at any offset. */
export interface FileBytes {
  /** Of the file, in bytes. */
  readonly size: number;
  /**
   * Fewer bytes than `length` at the end of the file; undefined where the bytes are not at hand. Valid until the next
   * read.
   */
  read(offset: number, length: number): Uint8Array | undefined;
}

/** A file that is in memory as a whole. */
export function bytesOf(file: Uint8Array): FileBytes {
  return { size: file.length, read: (offset, length) => file.subarray(offset, offset + length) };
}
