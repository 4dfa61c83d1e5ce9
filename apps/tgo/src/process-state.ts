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
 * a shell's `>/dev/null` is for writing only. A program that discards stdout and stderr alike may open it for both too:
 * then nobody wants to read anything.
 */
export function isStdoutClosed(): boolean {
  return isNodesNull(1) && !isNodesNull(2);
}

function isNodesNull(fd: number): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
    const isReadWrite = (Number.parseInt(flags ?? "0", 8) & 3) === 2;
    return isReadWrite && readlinkSync(`/proc/self/fd/${fd}`) === "/dev/null";
  } catch {
    return false;
  }
}
