import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TgoError } from "@tgo/errors";

/** Where a registry process listens: a loopback port (0: a free one), or a socket for our own front end only. */
export type Listen = { readonly port: number } | { readonly socket: string };

export interface RegistryProcess {
  /** The port it listens on; 0 for a socket. */
  readonly port: number;
  /** Stops the process and waits until it has ended. */
  readonly stop: () => Promise<void>;
  /** The end of its log, at most 64 kB. */
  readonly logs: () => string;
}

const READY_WITHIN_MS = 15_000;
const STOP_WITHIN_MS = 5_000;
const KEPT_LOG_BYTES = 65_536;
/**
 * Starts Debian's `docker-registry` and returns when it listens.
 * @param config distribution's configuration; written as JSON, which is YAML too
 */
export async function startRegistryProcess(
  dir: string,
  listen: Listen,
  config: Record<string, unknown>,
): Promise<RegistryProcess> {
  const file = join(dir, "config.yml");
  await writeFile(file, JSON.stringify(config, null, 2), { mode: 0o600 });

  // The kernel kills the registry when this process ends in any way. In a session of its own, a Ctrl-C in the
  // terminal does not reach it before our clean shutdown is done with it.
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "docker-registry", "serve", file], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // REGISTRY_* variables would override the configuration.
    env: { PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  let log = "";
  let announce: () => void = () => undefined;
  const listening = new Promise<"listening">((resolve) => {
    announce = () => {
      resolve("listening");
    };
  });
  const keep = (chunk: Buffer): void => {
    log = (log + chunk.toString("utf8")).slice(-KEPT_LOG_BYTES);
    // Its own log line, not a response on the port: another program may be responding there.
    if (log.includes("listening on ")) announce();
  };
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  const end = new Promise<"ended">((resolve) => {
    child.once("close", () => {
      resolve("ended");
    });
    child.once("error", (error) => {
      keep(Buffer.from(error.message));
      resolve("ended");
    });
  });

  const stop = async (): Promise<void> => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      child.kill("SIGTERM");
    const killer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN_MS);
    await end;
    clearTimeout(killer);
  };

  const outcome = await Promise.race([listening, end, sleep(READY_WITHIN_MS, "late", { ref: false })]);
  if (outcome !== "listening") {
    await stop();
    throw new TgoError("ENVIRONMENT", `docker-registry did not start: ${reason(log)}`, {
      where: "port" in listen ? `localhost:${listen.port}` : listen.socket,
      remedy: remedyOf(log),
    });
  }
  const [, port = "0"] = /listening on 127\.0\.0\.1:(\d+)/.exec(log) ?? [];
  return { port: Number(port), stop, logs: () => log };
}

function remedyOf(log: string): string {
  if (log.includes("address already in use")) return "Choose another port, or stop the program that uses it.";
  if (/No such file or directory|ENOENT/.test(log))
    return "Install it: apt-get install --no-install-recommends docker-registry";
  return "Its configuration or its storage may be damaged: remove the folder and start again.";
}

/** The registry reports a fatal error as `level=fatal msg="…"`; setpriv and the shell in plain words. */
function reason(log: string): string {
  return /msg="([^"]+)"\s*$/.exec(log)?.[1] ?? log.trimEnd().split("\n").at(-1) ?? "no output";
}
