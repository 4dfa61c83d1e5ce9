import type { Platform } from "@tgo/catalog";

/** ELF machine numbers, and the machine code of `exit(0)` as a Linux system call. */
const PROGRAMS: Record<Platform, { readonly machine: number; readonly code: readonly number[] }> = {
  // mov eax, 60; xor edi, edi; syscall
  "linux/amd64": { machine: 62, code: [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05] },
  // mov x8, #93; mov x0, #0; svc #0
  "linux/arm64": { machine: 183, code: [0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 0x01, 0, 0, 0xd4] },
};

const HEADER = 64;
const PROGRAM_HEADER = 56;
const ADDRESS = 0x40_0000n;

/**
 * A minimal executable for a platform: it exits with 0 and needs no other file, so running it shows whether a machine
 * runs programs of that platform, without an image of that platform.
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
 */
export function foreignProgram(platform: Platform): Buffer {
  const { machine, code } = PROGRAMS[platform];
  const size = HEADER + PROGRAM_HEADER + code.length;
  const file = Buffer.alloc(size);
  // 64 bit, little endian, version 1.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // e_type: executable
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20); // e_version
  file.writeBigUInt64LE(ADDRESS + BigInt(HEADER + PROGRAM_HEADER), 24); // e_entry
  file.writeBigUInt64LE(BigInt(HEADER), 32); // e_phoff
  file.writeUInt16LE(HEADER, 52); // e_ehsize
  file.writeUInt16LE(PROGRAM_HEADER, 54); // e_phentsize
  file.writeUInt16LE(1, 56); // e_phnum
  file.writeUInt32LE(1, HEADER); // p_type: load
  file.writeUInt32LE(5, HEADER + 4); // p_flags: read, execute
  file.writeBigUInt64LE(ADDRESS, HEADER + 16); // p_vaddr; p_offset is 0: the whole file
  file.writeBigUInt64LE(ADDRESS, HEADER + 24); // p_paddr
  file.writeBigUInt64LE(BigInt(size), HEADER + 32); // p_filesz
  file.writeBigUInt64LE(BigInt(size), HEADER + 40); // p_memsz
  file.writeBigUInt64LE(0x1000n, HEADER + 48); // p_align
  file.set(code, HEADER + PROGRAM_HEADER);
  return file;
}
