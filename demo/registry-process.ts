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
  readonly username?: string;
  readonly password?: string;
  readonly isPublic: boolean;
}

export interface DemoRegistries {
  readonly pid: number;
  /** Host of the mirror that serves stand-in base images; absent if Docker Hub is reachable. */
  readonly mirror?: string;
  readonly registries: readonly DemoRegistry[];
}

const START_TIMEOUT_MS = 10 * 60_000;

/** Starts the registries in a process of their own and waits until all of them are up. */
export async function startRegistries(
  folder: string,
  standIns: boolean,
  log: (text: string) => void,
): Promise<DemoRegistries> {
  const script = fileURLToPath(new URL("run-registries.ts", import.meta.url));
  const tsx = createRequire(import.meta.url).resolve("tsx");
  const child = spawn(process.execPath, ["--import", tsx, script, folder, standIns ? "stand-ins" : "real"], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const logLines = (chunk: Buffer): void => {
    output += chunk.toString();
    for (const line of chunk.toString().split("\n")) if (line.trim() !== "") log(line);
  };
  child.stdout.on("data", logLines);
  child.stderr.on("data", logLines);
  const deadline = Date.now() + START_TIMEOUT_MS;
  // Ctrl-C does not reach the child, a process group of its own, which may be building base images.
  const interruption = new AbortController();
  const onInterrupt = (): void => {
    interruption.abort();
    const running = child.exitCode === null && child.signalCode === null;
    if (child.pid !== undefined && running) process.kill(-child.pid, "SIGTERM");
  };
  // "on", not "once": npm and tsx forward the signal that the terminal has sent already.
  process.on("SIGINT", onInterrupt);
  while (!existsSync(`${folder}/registries.json`)) {
    if (interruption.signal.aborted) {
      await exitOf(child);
      throw new TgoError("INTERRUPTED", "stopped while starting the registries", {
        remedy: "Run npm run demo again.",
      });
    }
    if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
      throw new TgoError("ENVIRONMENT", `the registries did not start\n${output.slice(-1000)}`, {
        remedy: "Run npm run demo again; if that fails too, see the output above.",
      });
    }
    await sleep(50);
  }
  process.off("SIGINT", onInterrupt);
  // The child may outlive this process.
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
  const started = readState(folder);
  for (const { name, host, username } of started.registries) {
    log(
      `  ${name.padEnd(8)} ${host.padEnd(16)} ${username === undefined ? "no credentials" : `user ${username}`}`,
    );
  }
  if (started.mirror !== undefined) log(`  mirror   ${started.mirror.padEnd(16)} base images`);
  return started;
}

function exitOf(child: ChildProcess): Promise<unknown> {
  return child.exitCode !== null || child.signalCode !== null ? Promise.resolve() : once(child, "exit");
}

/** Whether registries of an earlier demo are running. */
export function areRegistriesRunning(folder: string): boolean {
  return existsSync(`${folder}/registries.json`) && isAlive(readState(folder).pid);
}

/** @returns whether registries were running */
export async function stopRegistries(folder: string): Promise<boolean> {
  if (!areRegistriesRunning(folder)) return false;
  const { pid } = readState(folder);
  process.kill(pid, "SIGTERM");
  for (let waited = 0; isAlive(pid); waited += 50) {
    if (waited > 10_000) process.kill(pid, "SIGKILL");
    await sleep(50);
  }
  return true;
}

function readState(folder: string): DemoRegistries {
  // Written by run-registries.ts of this checkout.
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
