import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { TgoError } from "@tgo/errors";
import { command } from "./command.js";
import type { Log } from "./log.js";

/** How long to wait for the locks of another apt, in seconds. */
const LOCK_SECONDS = 300;
const LOCK_RETRY_MS = 3_000;

/**
 * Installs packages with apt, after waiting for another apt to end.
 * @throws TgoError ENVIRONMENT: no network, a lock that is not released, a failed installation
 */
export async function aptInstall(packages: readonly string[], log: Log): Promise<void> {
  const byHand = `apt-get update && apt-get install --no-install-recommends ${packages.join(" ")}`;
  const update = await aptGet(["update"], () => undefined);
  // A broken source of this machine need not be one that is needed here.
  if (update.code !== 0) log(`apt-get update: ${lastLine(update.output)}`);

  const wanted = new Set(packages);
  let unpacking = false;
  const install = await aptGet(["install", "-y", "--no-install-recommends", ...packages], (line) => {
    if (!unpacking && line.startsWith("Unpacking ")) {
      unpacking = true;
      log("downloaded; unpacking");
    }
    const name = /^Setting up ([^ :]+)/.exec(line)?.[1];
    if (name !== undefined && wanted.has(name)) log(`installed ${name}`);
  });
  if (install.code === 0) return;
  const output = `${update.output}\n${install.output}`;
  if (isLocked(output)) {
    throw new TgoError("ENVIRONMENT", `another apt has held its lock for ${LOCK_SECONDS} s`, {
      where: "/var/lib/dpkg/lock-frontend",
      remedy: `Wait until it has ended (ps -C apt-get,apt,dpkg,unattended-upgr), then run this again.`,
    });
  }
  if (/Could not (resolve|connect)|Temporary failure|Failed to fetch|Unable to (fetch|locate)/.test(output)) {
    throw new TgoError("ENVIRONMENT", `apt cannot download: ${lastLine(output)}`, {
      where: "/etc/apt",
      remedy: `Check the network, the proxy and the mirrors in /etc/apt, then run this again, or by hand:\n${byHand}`,
    });
  }
  throw new TgoError("ENVIRONMENT", `apt-get install failed: ${lastLine(output)}`, {
    remedy: `Run it by hand to see its output:\n${byHand}`,
  });
}

interface AptResult {
  readonly code: number | null;
  readonly output: string;
}

async function aptGet(args: readonly string[], onLine: Log): Promise<AptResult> {
  const deadline = Date.now() + LOCK_SECONDS * 1000;
  for (;;) {
    const result = await aptGetOnce(args, onLine);
    // DPkg::Lock::Timeout covers dpkg's lock only, not the lock of the package lists.
    if (result.code === 0 || !isLocked(result.output) || Date.now() > deadline) return result;
    await sleep(LOCK_RETRY_MS);
  }
}

function aptGetOnce(args: readonly string[], onLine: Log): Promise<AptResult> {
  return new Promise((resolve, reject) => {
    const child = spawn("apt-get", ["-qq", "-o", `DPkg::Lock::Timeout=${LOCK_SECONDS}`, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" },
    });
    let output = "";
    let rest = "";
    child.stdout.on("data", (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(onLine);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    child.once("error", (cause) => {
      reject(
        new TgoError("ENVIRONMENT", "this machine has no apt-get", {
          remedy: "The test requirements can be installed on Debian 12 and its derivatives only.",
          cause,
        }),
      );
    });
    child.once("close", (code) => {
      resolve({ code, output });
    });
  });
}

function isLocked(output: string): boolean {
  return /Could not get lock|Unable to acquire the dpkg frontend lock|Unable to lock directory/.test(output);
}

function lastLine(output: string): string {
  return output.trimEnd().split("\n").at(-1) ?? "";
}

/**
 * Debian's docker-registry comes with a service that would listen on port 5000. Only its program is needed: the service
 * is masked until the next boot while the package is installed, and then disabled.
 */
export async function withoutRegistryService(install: () => Promise<void>): Promise<void> {
  const masks = "/run/systemd/system";
  const mask = `${masks}/docker-registry.service`;
  if (existsSync(masks) && !existsSync(mask)) {
    await mkdir(masks, { recursive: true });
    await symlink("/dev/null", mask);
    await command("systemctl", ["daemon-reload"]).catch(() => undefined);
  }
  await install();
  await command("deb-systemd-helper", ["disable", "docker-registry.service"]).catch(() => undefined);
  await command("update-rc.d", ["docker-registry", "disable"]).catch(() => undefined);
}
