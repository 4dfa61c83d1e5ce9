import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** An empty engine's state, on the disk where the engine usually keeps it. */
export interface FreshState {
  readonly home: string;
  readonly discard: () => Promise<void>;
}

/** A folder for all files of one benchmark. */
export async function createWorkFolder(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tgo");
  await mkdir(cache, { recursive: true });
  return mkdtemp(join(cache, "bench-"));
}

export async function freshState(work: string): Promise<FreshState> {
  const folder = await mkdtemp(join(work, "state-"));
  await flushDisk();
  return {
    home: join(folder, "engine"),
    discard: () => removeFolder(folder),
  };
}

/** Earlier writes must not reach the disk during a measurement. */
async function flushDisk(): Promise<void> {
  await run("sync");
}

/** Removes a folder and unmounts everything in it: a stopped build leaves mounts. */
export async function removeFolder(folder: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8").catch(() => ""))
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.reverse()) await run("umount", ["-l", path]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
