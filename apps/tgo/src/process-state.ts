import { readFileSync, readlinkSync } from "node:fs";
import { TgoError } from "@tgo/errors";

/**
 * The current folder.
 * @throws TgoError USAGE if it was deleted
 */
export function currentFolder(cwd: () => string = () => process.cwd()): string {
  try {
    return cwd();
  } catch (cause) {
    throw new TgoError("USAGE", "the current folder no longer exists", {
      remedy: "Change to one that does: cd /",
      cause,
    });
  }
}

/**
 * Whether stdout was closed when this process started (`>&-`). Node then opens /dev/null instead, for reading and writing;
 * a shell's `>/dev/null` only for writing. Another Node program that ignores the output looks the same, so this is no
 * failure.
 */
export function isStdoutClosed(): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync("/proc/self/fdinfo/1", "utf8"))?.[1];
    const isReadWrite = (Number.parseInt(flags ?? "0", 8) & 3) === 2;
    return isReadWrite && readlinkSync("/proc/self/fd/1") === "/dev/null";
  } catch {
    return false;
  }
}
