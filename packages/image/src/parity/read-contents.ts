import { Buffer } from "node:buffer";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import { MAX_PACKAGE_FILE_BYTES, packageFileKind, readPackages } from "../packages/package-files.js";
import type { Platform } from "../platform.js";
import type { VariantContents } from "./compare-contents.js";

/** Kernel file systems at the root of a running container; not part of an image. */
const KERNEL_FILE_SYSTEMS = new Set(["/proc", "/sys", "/dev"]);

/** How long the walk blocks the thread at a time, in milliseconds. */
const TURN_MS = 20;

/**
 * Reads what a variant contains from its root file system, mounted or unpacked at `root`. Does not follow symbolic links.
 * A folder that cannot be read is empty: the ELF check has reported it.
 */
export async function readContents(root: string, platform: Platform): Promise<VariantContents> {
  const files = new Map<string, number>();
  const databases: [string, Uint8Array][] = [];
  const base = Buffer.from(root.replace(/\/+$/, ""));
  const pending: Buffer[] = [Buffer.alloc(0)];
  let turnEnds = performance.now() + TURN_MS;
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    for (const entry of orElse(() => readdirSync(Buffer.concat([base, directory, SLASH]), OPTIONS), [])) {
      const path = Buffer.concat([directory, SLASH, entry.name]);
      const name = path.toString();
      if (entry.isDirectory()) {
        if (!KERNEL_FILE_SYSTEMS.has(name)) pending.push(path);
        continue;
      }
      if (!entry.isFile()) continue;
      const full = Buffer.concat([base, path]);
      const { size } = lstatSync(full);
      files.set(name, size);
      if (packageFileKind(name) !== undefined && size <= MAX_PACKAGE_FILE_BYTES)
        databases.push([name, readFileSync(full)]);
      if (performance.now() < turnEnds) continue;
      await yieldToOthers();
      turnEnds = performance.now() + TURN_MS;
    }
  }
  return { platform, files, packages: readPackages(databases) };
}

const SLASH = Buffer.from("/");
const OPTIONS = { withFileTypes: true, encoding: "buffer" } as const;

function orElse<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
