import type { Platform } from "@tgo/catalog";

/** The machine that a program finds itself on. */
export interface SeenMachine {
  /** Of its processor: see Processor in the catalog. */
  readonly level: number;
  /** In bytes. */
  readonly pageSize: number;
}

interface Program {
  /** `e_machine` */
  readonly machine: number;
  /** Assembled, base64. */
  readonly code: string;
  /** The level of exit codes below 32. */
  readonly lowest: number;
}

/** Sources: probe.*.s beside this file. */
const PROGRAMS: Readonly<Record<Platform, Program>> = {
  "linux/amd64": {
    machine: 62,
    lowest: 1,
    code:
      "SIsEJEiNdMQQSK1IhcB1+UG4ABAAAEitSInCSK1Ig/oGTA9EwEiF0nXsTQ+8wLgBAAAAD6JBicmB4QEimACB+QEimAB1XLgBAACAD6JBicr3wQEAAAB0" +
      "SkGDwCBBgeEAEEA4QYH5ABBAOHU2QffCIAAAAHQtuAcAAAAxyQ+iidglKAEAAD0oAQAAdRZBg8AggeMAAAPQgfsAAAPQdQRBg8AgRInHuDwAAAAPBQ==",
  },
  "linux/arm64": {
    machine: 183,
    lowest: 0,
    code: "4ANA+eFDAJEhDACLIoRA+OL//7UDAILSBACA0iUYwai/GADxwwCDmr9AAPHEAISaZf//tWMAwNpgEMDahyBI04hQVNMIAQeK5wAIiwAUB4uoC4DSAQAA1A==",
  },
};

const HEADERS = 120;
const ADDRESS = 0x400000n;

/** A program without a library that tells its machine by its exit code: an executable file of one segment. */
export function probeProgram(platform: Platform): Uint8Array {
  const { machine, code } = PROGRAMS[platform];
  const text = Buffer.from(code, "base64");
  const header = Buffer.alloc(HEADERS);
  const size = BigInt(HEADERS + text.length);
  header.write("7f454c46020101", "hex");
  header.writeUInt16LE(2, 16); // ET_EXEC
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(ADDRESS + BigInt(HEADERS), 24); // e_entry
  header.writeBigUInt64LE(64n, 32); // e_phoff
  header.writeUInt16LE(64, 52);
  header.writeUInt16LE(56, 54);
  header.writeUInt16LE(1, 56); // e_phnum
  header.writeUInt32LE(1, 64); // PT_LOAD
  header.writeUInt32LE(5, 68); // readable, executable
  header.writeBigUInt64LE(ADDRESS, 80);
  header.writeBigUInt64LE(ADDRESS, 88);
  header.writeBigUInt64LE(size, 96);
  header.writeBigUInt64LE(size, 104);
  header.writeBigUInt64LE(0x10000n, 112);
  return Buffer.concat([header, text]);
}

/** What the program's exit code says; undefined if it did not run to its end. */
export function seenMachine(platform: Platform, exitCode: number): SeenMachine | undefined {
  const bits = exitCode % 32;
  const { lowest } = PROGRAMS[platform];
  if (bits < 12 || bits > 16 || exitCode >= 124) return undefined;
  return { level: lowest + Math.floor(exitCode / 32), pageSize: 2 ** bits };
}
