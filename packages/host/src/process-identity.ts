import { readFileSync } from "node:fs";

/** A process's id and start time, because ids are reused; undefined if there is no such process, or no /proc. */
export function processIdentity(pid: number): string | undefined {
  try {
    // proc(5): the name, in parentheses, may contain anything; the start time is the 20th field after it.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return `${pid}.${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "0"}`;
  } catch {
    return undefined;
  }
}
