/** The beginning of an ELF file: System V ABI, chapter 4, "ELF Header". */
export interface ElfHeader {
  readonly class: 32 | 64;
  readonly endianness: "little" | "big";
  /** `e_machine`. */
  readonly machine: number;
}

/** How many bytes {@link readElfHeader} needs: e_ident (16), e_type (2), e_machine (2). */
export const ELF_HEADER_BYTES = 20;

/** The header of an ELF file, or undefined for any other file. Pass at least {@link ELF_HEADER_BYTES}. */
export function readElfHeader(bytes: Uint8Array): ElfHeader | undefined {
  if (bytes.length < ELF_HEADER_BYTES) return undefined;
  if (bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) return undefined;
  const [elfClass, data] = [bytes[4], bytes[5]];
  if ((elfClass !== 1 && elfClass !== 2) || (data !== 1 && data !== 2)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    class: elfClass === 2 ? 64 : 32,
    endianness: data === 1 ? "little" : "big",
    machine: view.getUint16(18, data === 1),
  };
}
