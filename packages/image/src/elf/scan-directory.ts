import { Buffer } from "node:buffer";
import { closeSync, openSync, readdirSync, readSync, constants } from "node:fs";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { TgoError } from "@tgo/errors";
import { ELF_HEADER_BYTES, ElfScan, readElfHeader, type ElfReport } from "./elf.js";
import type { Platform } from "../platform.js";

/** Kernel file systems that a running container has at its root; no part of an image. */
const NOT_OF_THE_IMAGE = new Set(["/proc", "/sys", "/dev"]);

/** How long the walk keeps the thread, in milliseconds. */
const TURN_MS = 20;

/**
 * Scans a root file system that is mounted, or unpacked, at `root`. Reads the first 20 bytes of every regular
 * file. Follows no symbolic link: a link is judged where its target lies.
 *
 * File calls are synchronous, in short turns: over tens of thousands of tiny reads that is several times faster
 * than asynchronous ones.
 * @throws TgoError ENVIRONMENT for a folder or file that cannot be read: what was not read was not checked.
 */
export async function scanDirectory(
  root: string,
  platform: Platform,
  options: { allow?: readonly string[] } = {},
): Promise<ElfReport> {
  const scan = new ElfScan(platform, options);
  const header = Buffer.alloc(ELF_HEADER_BYTES);
  const base = Buffer.from(root.replace(/\/+$/, ""));
  // Names are bytes: old archives hold some that are not UTF-8.
  const pending: Buffer[] = [Buffer.alloc(0)];
  let turnEnds = performance.now() + TURN_MS;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const folder = next;
    for (const entry of readable(show(folder), () =>
      readdirSync(Buffer.concat([base, folder, SLASH]), OPTIONS),
    )) {
      const path = Buffer.concat([folder, SLASH, entry.name]);
      if (entry.isDirectory()) {
        if (!NOT_OF_THE_IMAGE.has(show(path))) pending.push(path);
      } else if (entry.isFile()) {
        scan.add(
          show(path),
          readable(show(path), () => machineAt(Buffer.concat([base, path]), header)),
        );
      }
      if (performance.now() < turnEnds) continue;
      await yieldToOthers();
      turnEnds = performance.now() + TURN_MS;
    }
  }
  return scan.report();
}

const SLASH = Buffer.from("/");
const OPTIONS = { withFileTypes: true, encoding: "buffer" } as const;

function show(path: Buffer): string {
  return path.length === 0 ? "/" : path.toString("utf8");
}

function machineAt(path: Buffer, header: Buffer): number | undefined {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const length = readSync(file, header, 0, ELF_HEADER_BYTES, 0);
    return readElfHeader(header.subarray(0, length))?.machine;
  } finally {
    closeSync(file);
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
