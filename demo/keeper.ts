import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TgoError } from "@tgo/errors";

export interface DemoRegistry {
  readonly name: string;
  readonly host: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly isPublic: boolean;
}

export interface DemoRegistries {
  readonly pid: number;
  /** Host of the mirror that serves the stand-in base images; absent when Docker Hub answers. */
  readonly mirror?: string | undefined;
  readonly registries: readonly DemoRegistry[];
}

const BUILDING_BASES_MS = 10 * 60_000;

/** Starts the registries in a process of their own and waits until all of them answer. */
export async function startKeeper(
  folder: string,
  standIns: boolean,
  log: (text: string) => void,
): Promise<DemoRegistries> {
  const script = fileURLToPath(new URL("registries.ts", import.meta.url));
  const tsx = createRequire(import.meta.url).resolve("tsx");
  const child = spawn(process.execPath, ["--import", tsx, script, folder, standIns ? "stand-ins" : "real"], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const lines = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const line of chunk.toString().split("\n")) if (line.trim() !== "") log(line);
  };
  child.stdout.on("data", lines);
  child.stderr.on("data", lines);
  const deadline = Date.now() + BUILDING_BASES_MS;
  // It is a process group of its own: Ctrl-C does not reach it, and it may be in the middle of making base images.
  const interruption = new AbortController();
  const onInterrupt = (): void => {
    interruption.abort();
    const running = child.exitCode === null && child.signalCode === null;
    if (child.pid !== undefined && running) process.kill(-child.pid, "SIGTERM");
  };
  // "on", not "once": npm and tsx pass on what the terminal has sent already.
  process.on("SIGINT", onInterrupt);
  while (!existsSync(`${folder}/registries.json`)) {
    if (interruption.signal.aborted) {
      await ended(child);
      throw new TgoError("INTERRUPTED", "stopped while the registries and base images were made", {
        remedy: "Run npm run demo again.",
      });
    }
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      throw new TgoError("ENVIRONMENT", `the registries did not start\n${output.slice(-1000)}`, {
        remedy: "Run npm run demo again; when it stays so, the lines above say why.",
      });
    }
    await sleep(50);
  }
  process.off("SIGINT", onInterrupt);
  // From here on nobody listens: the process may outlive this one.
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
  const running = read(folder);
  for (const { name, host, username } of running.registries) {
    log(
      `  ${name.padEnd(8)} ${host.padEnd(16)} ${username === undefined ? "no credentials" : `user ${username}`}`,
    );
  }
  if (running.mirror !== undefined) log(`  mirror   ${running.mirror.padEnd(16)} base images`);
  return running;
}

function ended(child: ChildProcess): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, "exit");
}

/** Whether registries of an earlier demo are up. */
export function keptRegistries(folder: string): boolean {
  return existsSync(`${folder}/registries.json`) && isAlive(read(folder).pid);
}

/** @returns whether there was anything to stop */
export async function stopKeeper(folder: string): Promise<boolean> {
  if (!keptRegistries(folder)) return false;
  const { pid } = read(folder);
  process.kill(pid, "SIGTERM");
  for (let waited = 0; isAlive(pid); waited += 50) {
    if (waited > 10_000) process.kill(pid, "SIGKILL");
    await sleep(50);
  }
  return true;
}

function read(folder: string): DemoRegistries {
  // Written by registries.ts of this same checkout.
  return JSON.parse(readFileSync(`${folder}/registries.json`, "utf8")) as DemoRegistries;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
