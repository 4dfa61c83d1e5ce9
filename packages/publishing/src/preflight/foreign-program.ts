import type { Platform } from "@tgo/catalog";

/** ELF machine numbers, and machine code of `exit(0)` by the Linux system call. */
const PROGRAMS: Record<Platform, { readonly machine: number; readonly code: readonly number[] }> = {
  // mov eax, 60; xor edi, edi; syscall
  "linux/amd64": { machine: 62, code: [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05] },
  // mov x8, #93; mov x0, #0; svc #0
  "linux/arm64": { machine: 183, code: [0xa8, 0x0b, 0x80, 0xd2, 0, 0, 0x80, 0xd2, 0x01, 0, 0, 0xd4] },
};

const HEADER = 64;
const SEGMENT = 56;
const ADDRESS = 0x40_0000n;

/**
 * The smallest program of a platform: it ends with exit code 0 and needs no file beside it, so that whether a machine
 * runs such programs can be tried without an image of that platform.
 * @see https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
 */
export function foreignProgram(platform: Platform): Buffer {
  const { machine, code } = PROGRAMS[platform];
  const size = HEADER + SEGMENT + code.length;
  const file = Buffer.alloc(size);
  // 64 bit, little endian, version 1.
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // an executable
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(ADDRESS + BigInt(HEADER + SEGMENT), 24); // where it starts
  file.writeBigUInt64LE(BigInt(HEADER), 32); // where segments are listed
  file.writeUInt16LE(HEADER, 52);
  file.writeUInt16LE(SEGMENT, 54);
  file.writeUInt16LE(1, 56); // one of them
  file.writeUInt32LE(1, HEADER); // to be loaded,
  file.writeUInt32LE(5, HEADER + 4); // readable and executable,
  file.writeBigUInt64LE(ADDRESS, HEADER + 16); // all of the file, here
  file.writeBigUInt64LE(ADDRESS, HEADER + 24);
  file.writeBigUInt64LE(BigInt(size), HEADER + 32);
  file.writeBigUInt64LE(BigInt(size), HEADER + 40);
  file.writeBigUInt64LE(0x1000n, HEADER + 48);
  file.set(code, HEADER + SEGMENT);
  return file;
}
