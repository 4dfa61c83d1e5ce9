import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { TgoError } from "@tgo/errors";
import type { Context } from "./context.js";
import { ExecFailure } from "./exec.js";
import { killSandbox } from "./sandbox.js";
import type { ContainerState, ServiceState } from "./state.js";

/** A network of its own, with the services of one command. */
export interface Network {
  /** The process that holds the namespace. */
  readonly pid: number;
  /** Lines for /etc/hosts. */
  readonly hosts: readonly string[];
  /** Rejects when a service ends by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

const NEVER = new Promise<never>(() => undefined);

/**
 * Starts what a command is bound to. The namespace holds only these services: nothing of the host answers on their
 * ports. All of them are 127.0.0.1 there, so two must not listen on one port (Dagger gives each an address).
 * @returns undefined without bindings: the host's network
 * @throws ExecFailure when a service ends before its ports answer
 */
export async function startBindings(cx: Context, container: ContainerState): Promise<Network | undefined> {
  if (container.bindings.length === 0) return undefined;
  const holder = await startNetwork();
  const running: Running[] = [];
  const hosts = ["127.0.0.1 engine"];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((service) => service.stop()));
    holder.kill("SIGKILL");
  };
  const network = { pid: holder.pid ?? 0, hosts, failed: NEVER, stop };
  const seen = new Set<string>();
  const start = async (of: ContainerState): Promise<void> => {
    for (const { alias, service } of of.bindings) {
      hosts.push(`127.0.0.1 ${alias}`);
      if (service.kind === "host")
        throw new TgoError("USAGE", "the embedded engine cannot bind a service of the host to a container", {
          where: alias,
          remedy: "use Dagger's engine for this, or run the service in a container",
        });
      if (seen.has(service.id)) continue;
      seen.add(service.id);
      await start(service.container);
      const started = await startService(cx, alias, service, network);
      running.push(started);
      await portsAnswer(service.container.ports, network, started.failed);
    }
  };
  try {
    await start(container);
    const failed = Promise.race(running.map((service) => service.failed));
    failed.catch(() => undefined);
    return { ...network, failed };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A process in a new network namespace whose loopback is up. */
async function startNetwork(): Promise<ChildProcess> {
  const hold = "ip link set lo up && echo up && exec sleep infinity";
  const holder = spawn("setpriv", ["--pdeathsig", "KILL", "unshare", "--net", "bash", "-c", hold], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  holder.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [first] = (await Promise.race([once(holder.stdout, "data"), once(holder, "close")])) as [unknown];
  if (Buffer.isBuffer(first)) return holder;
  throw new TgoError("ENVIRONMENT", `a network namespace cannot be made: ${said.trim()}`, {
    remedy: "run as root; apt-get install -y iproute2",
  });
}

interface Running {
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

async function startService(
  cx: Context,
  alias: string,
  { container, args }: ServiceState & { kind: "container" },
  network: Network,
): Promise<Running> {
  const { ended, sandbox } = await cx.execs.serve(container, args, network);
  let stopping = false;
  const failed = ended.then(({ cmd, exitCode, stdout, stderr }): Promise<never> => {
    if (stopping) return NEVER;
    const message = `start service ${alias} (${cmd.join(" ")}): exited: exit code: ${exitCode}`;
    const last = (stderr || stdout).trim().split("\n").slice(-20).join("\n");
    throw new ExecFailure(cmd, exitCode, stdout, stderr, `${message}\n${last}`.trimEnd());
  });
  failed.catch(() => undefined);
  const stop = async (): Promise<void> => {
    stopping = true;
    killSandbox(sandbox);
    await ended.catch(() => undefined);
  };
  return { failed, stop };
}

/** Waits inside the namespace, where the ports of the host cannot answer for these. */
async function portsAnswer(
  ports: readonly number[],
  { pid }: Network,
  failed: Promise<never>,
): Promise<void> {
  const loop = `for port; do until (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do sleep 0.05; done; done`;
  const inside = ["nsenter", `--net=/proc/${pid}/ns/net`, "bash", "-c", loop, "wait", ...ports.map(String)];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...inside], { stdio: "ignore" });
  try {
    await Promise.race([once(child, "close"), failed]);
  } finally {
    child.kill("SIGKILL");
  }
}
