import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** An engine's state that nothing was ever built in, on the disk where the engine usually has it. */
export interface FreshState {
  readonly home: string;
  /** Leads buildah to a store inside of it. */
  readonly env: NodeJS.ProcessEnv;
  readonly discard: () => Promise<void>;
}

/** A folder for everything one benchmark writes. */
export async function createWorkFolder(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tgo");
  await mkdir(cache, { recursive: true });
  return mkdtemp(join(cache, "bench-"));
}

export async function freshState(work: string): Promise<FreshState> {
  const folder = await mkdtemp(join(work, "state-"));
  const storage = join(folder, "storage.conf");
  // Buildah keeps its images and layers in one place for the whole machine otherwise.
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${folder}/containers"\nrunroot = "${folder}/containers-run"\n`,
  );
  await settle();
  return {
    home: join(folder, "engine"),
    env: { CONTAINERS_STORAGE_CONF: storage },
    discard: () => removeFolder(folder),
  };
}

/** Nothing that was written before is still on its way to the disk while something is timed. */
async function settle(): Promise<void> {
  await run("sync");
}

/** Removes a folder and what is mounted in it: a build that was stopped leaves mounts. */
export async function removeFolder(folder: string): Promise<void> {
  const mounts = (await readFile("/proc/self/mountinfo", "utf8").catch(() => ""))
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounts.reverse()) await run("umount", ["-l", path]).catch(() => undefined);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}
