import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** An empty engine's state, on the disk where the engine usually keeps it. */
export interface FreshState {
  readonly home: string;
  /** Points buildah to a store inside it. */
  readonly env: NodeJS.ProcessEnv;
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
  const storage = join(folder, "storage.conf");
  // Otherwise buildah uses the machine's shared store.
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/containers"\nrunroot = "${folder}/containers-run"\n`,
  );
  await flushDisk();
  return {
    home: join(folder, "engine"),
    env: { CONTAINERS_STORAGE_CONF: storage },
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
