import { once } from "node:events";
import { TgoError } from "@tgo/errors";
import { startHostProcess } from "../host-process.js";
import type { ContainerState, ServiceState } from "../state.js";
import type { Outcome } from "./collect-outcome.js";
import { ExecFailure } from "./exec-failure.js";
import { privateNetwork } from "./network.js";
import { killSandbox, type NetworkNamespace, type RunningSandbox } from "./sandbox.js";

/** A network namespace with the services of one command. */
export interface ServiceNetwork extends NetworkNamespace {
  /** Rejects when a service ends by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

/** A service's command that runs. */
export interface RunningService {
  readonly sandbox: RunningSandbox;
  readonly ended: Promise<Outcome>;
}

/** Starts a service's command in a network namespace. */
export type Serve = (
  container: ContainerState,
  args: readonly string[],
  network: NetworkNamespace,
) => Promise<RunningService>;

const NEVER = new Promise<never>(() => undefined);

/**
 * Starts the services that a container is bound to, in a network namespace of their own: no port of the host can be reached
 * from it. All services are 127.0.0.1 there, so no two may listen on the same port (in Dagger each has an address).
 * @returns undefined without bindings
 * @throws ExecFailure if a service ends before its ports are open
 */
export async function startBindings(
  container: ContainerState,
  serve: Serve,
): Promise<ServiceNetwork | undefined> {
  if (container.bindings.length === 0) return undefined;
  const hosts = ["127.0.0.1 engine"];
  const network = await privateNetwork(hosts);
  const running: StoppableService[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((service) => service.stop()));
    network.close();
  };
  const seen = new Set<string>();
  const start = async (of: ContainerState): Promise<void> => {
    for (const { alias, service } of of.bindings) {
      hosts.push(`127.0.0.1 ${alias}`);
      if (service.kind === "host")
        throw new TgoError("USAGE", "the local engine cannot bind a service of the host to a container", {
          where: alias,
          remedy: "use Dagger's engine, or run the service in a container",
        });
      if (seen.has(service.id)) continue;
      seen.add(service.id);
      await start(service.container);
      const started = await startService(alias, service, network, serve);
      running.push(started);
      await portsOpen(service.container.ports, network, started.failed);
    }
  };
  try {
    await start(container);
    const failed = Promise.race(running.map((service) => service.failed));
    failed.catch(() => undefined);
    return { ...network, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface StoppableService {
  /** Rejects when the service ends before it is stopped. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

async function startService(
  alias: string,
  { container, args }: ServiceState & { kind: "container" },
  network: NetworkNamespace,
  serve: Serve,
): Promise<StoppableService> {
  const { ended, sandbox } = await serve(container, args, network);
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

/** Waits for the ports inside the namespace, where the host's own ports cannot be mistaken for them. */
async function portsOpen(
  ports: readonly number[],
  { pid }: NetworkNamespace,
  failed: Promise<never>,
): Promise<void> {
  const loop = `for port; do until (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; do sleep 0.05; done; done`;
  const inside = ["nsenter", `--net=/proc/${pid}/ns/net`, "bash", "-c", loop, "wait", ...ports.map(String)];
  const child = startHostProcess(inside, { stdio: "ignore" });
  try {
    await Promise.race([once(child, "close"), failed]);
  } finally {
    child.kill("SIGKILL");
  }
}
