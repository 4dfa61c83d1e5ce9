import { Buffer } from "node:buffer";
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { TgoError } from "@tgo/errors";
import { isAmongModules } from "../link/roots.js";
import { isLoaderFile, MAX_LOADER_FILE } from "../link/loader-files.js";
import { type BillFile, isBillFile, isBillLink } from "../packages/bill-files.js";
import { MAX_PACKAGE_FILE_BYTES, packageFileKind } from "../packages/package-files.js";
import type { Platform } from "../platform.js";
import type { FileBytes } from "./file-bytes.js";
import type { ElfFacts } from "./elf-facts.js";
import { ELF_HEADER_BYTES, readElfHeader } from "./elf-header.js";
import { ElfScan, type ElfReport, type ElfScanOptions } from "./elf-scan.js";
import { readElfFacts } from "./read-elf-facts.js";

/** Kernel file systems at the root of a running container; not part of an image. */
const KERNEL_FILE_SYSTEMS = new Set(["/proc", "/sys", "/dev"]);

/** How long the walk blocks the thread at a time, in milliseconds. */
const TURN_MS = 20;

/**
 * Scans a root file system that is mounted, or unpacked, at `root`, and proves that its programs find their libraries.
 * Reads the beginning of every regular file, and of ELF files what their loader reads. Does not follow symbolic
 * links: their targets are scanned where they are.
 *
 * File calls are synchronous, in short turns: over tens of thousands of tiny reads that is several times faster
 * than asynchronous ones.
 * @param bill receives the files that a bill of materials is made of
 * @throws TgoError ENVIRONMENT for a directory or file that cannot be read: what was not read was not checked
 */
export async function scanDirectory(
  root: string,
  platform: Platform,
  options: ElfScanOptions = {},
  bill?: Map<string, BillFile>,
): Promise<ElfReport> {
  const scan = new ElfScan(platform, options);
  const base = Buffer.from(root.replace(/\/+$/, ""));
  const links = new Set<string>();
  const targets = new Map<string, string | undefined>();
  const loaderFiles = new Map<string, Buffer>();
  const packageFiles = new Map<string, Buffer>();
  // Names are bytes: not all of them are UTF-8.
  const pending: Buffer[] = [Buffer.alloc(0)];
  let turnEnds = performance.now() + TURN_MS;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const directory = next;
    for (const entry of readable(textOf(directory), () =>
      readdirSync(Buffer.concat([base, directory, SLASH]), OPTIONS),
    )) {
      const path = Buffer.concat([directory, SLASH, entry.name]);
      const text = textOf(path);
      if (entry.isDirectory()) {
        if (!KERNEL_FILE_SYSTEMS.has(text)) pending.push(path);
      } else if (entry.isFile()) {
        const file = Buffer.concat([base, path]);
        scan.add(
          text,
          readable(text, () => factsAt(file, text)),
        );
        if (isLoaderFile(text)) loaderFiles.set(text, file);
        if (packageFileKind(text) !== undefined) packageFiles.set(text, file);
        if (bill !== undefined && isBillFile(text)) {
          const content = readable(text, () => contentOf(file, MAX_PACKAGE_FILE_BYTES));
          if (content !== undefined) bill.set(text, { content });
        }
      } else if (entry.isSymbolicLink()) {
        links.add(text);
        if (bill !== undefined && isBillLink(text)) {
          const target = targetOf(Buffer.concat([base, path]));
          if (target !== undefined) bill.set(text, { target });
        }
      }
      if (performance.now() < turnEnds) continue;
      await yieldToOthers();
      turnEnds = performance.now() + TURN_MS;
    }
  }
  return scan.report({
    linkTarget: (path) => {
      if (!links.has(path)) return undefined;
      if (!targets.has(path)) targets.set(path, targetOf(Buffer.concat([base, Buffer.from(path)])));
      return targets.get(path);
    },
    loaderFile: (path) => {
      const file = loaderFiles.get(path);
      return file && readable(path, () => contentOf(file, MAX_LOADER_FILE));
    },
    packageFiles: function* () {
      for (const [path, file] of packageFiles) {
        const content = readable(path, () => contentOf(file, MAX_PACKAGE_FILE_BYTES));
        if (content !== undefined) yield [path, content];
      }
    },
  });
}

const SLASH = Buffer.from("/");
const OPTIONS = { withFileTypes: true, encoding: "buffer" } as const;

function textOf(path: Buffer): string {
  return path.length === 0 ? "/" : path.toString("utf8");
}

/** A link with a name that is not UTF-8 has no target here: no library is found through it. */
function targetOf(path: Buffer): string | undefined {
  try {
    return readlinkSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** @param limit in bytes; a longer file counts as none */
function contentOf(file: Buffer, limit: number): Buffer | undefined {
  return openFile(file, (descriptor) =>
    fstatSync(descriptor).size > limit ? undefined : readFileSync(descriptor),
  );
}

function openFile<T>(file: Buffer, read: (descriptor: number) => T): T {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return read(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The beginning of a file; most have the tables that their loader reads there. */
const head = Buffer.allocUnsafeSlow(4096);

function factsAt(file: Buffer, path: string): ElfFacts | undefined {
  return openFile(file, (descriptor) => {
    const length = readSync(descriptor, head, 0, head.length, 0);
    if (length < ELF_HEADER_BYTES || readElfHeader(head) === undefined) return undefined;
    const { size } = fstatSync(descriptor);
    return readElfFacts(new OpenFile(descriptor, Math.max(size, length), length), {
      symbols: isAmongModules(path),
    });
  });
}

const BLOCK = 16 * 1024;

/**
 * Reads an open file in blocks, and keeps the last ones: its tables are close together. Blocks are shared by all files,
 * one after the other: what was read is valid until the next file is opened.
 */
class OpenFile implements FileBytes {
  static readonly #blocks = [BLOCK, BLOCK, BLOCK, BLOCK].map((size) => Buffer.allocUnsafeSlow(size));
  /** Which blocks of the file are in {@link #blocks}. */
  readonly #held = [-1, -1, -1, -1];
  #next = 0;

  constructor(
    private readonly descriptor: number,
    readonly size: number,
    /** How much of it {@link head} has. */
    private readonly headLength: number,
  ) {}

  read(offset: number, length: number): Uint8Array {
    const end = Math.min(offset + length, this.size);
    if (end <= offset) return Buffer.alloc(0);
    if (end <= this.headLength) return head.subarray(offset, end);
    const number = Math.floor(offset / BLOCK);
    if (Math.floor((end - 1) / BLOCK) > number) {
      const bytes = Buffer.allocUnsafe(end - offset);
      return bytes.subarray(0, readSync(this.descriptor, bytes, 0, bytes.length, offset));
    }
    const start = offset - number * BLOCK;
    return this.#block(number).subarray(start, start + end - offset);
  }

  #block(number: number): Buffer {
    let slot = this.#held.indexOf(number);
    if (slot === -1) {
      slot = this.#next;
      this.#next = (slot + 1) % this.#held.length;
      this.#held[slot] = number;
      const block = OpenFile.#blocks[slot] ?? Buffer.alloc(BLOCK);
      readSync(this.descriptor, block, 0, BLOCK, number * BLOCK);
    }
    return OpenFile.#blocks[slot] ?? Buffer.alloc(0);
  }
}

function readable<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown error";
    throw new TgoError("ENVIRONMENT", `${path} cannot be read for the ELF check (${why})`, {
      remedy: "Run the check as root, on a complete file system.",
      cause,
    });
  }
}
