import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { TgoError } from "@tgo/errors";
import { emulationProblem } from "./binfmt.js";
import type { Context } from "./context.js";
import { ExecFailure, collect } from "./exec.js";
import { killSandbox, signalCommand } from "./sandbox.js";
import type { ContainerState, ServiceState } from "./state.js";

/** The services of one command, in a network of their own. */
export interface RunningServices {
  /** The process that holds the network namespace; undefined: the host's network. */
  readonly network: number | undefined;
  /** Lines for /etc/hosts. */
  readonly hosts: readonly string[];
  /** Rejects when a service ends by itself. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

type ContainerService = ServiceState & { kind: "container" };

const NEVER = new Promise<never>(() => undefined);
const STOP_AFTER_MS = 5_000;

/**
 * Starts what a command is bound to. The namespace holds only these services: nothing of the host answers on their
 * ports. All of them are 127.0.0.1 there, so two must not listen on one port (Dagger gives each an address).
 * @throws ExecFailure when a service ends before its ports answer
 */
export async function startBindings(cx: Context, container: ContainerState): Promise<RunningServices> {
  if (container.bindings.length === 0)
    return { network: undefined, hosts: [], failed: NEVER, stop: () => Promise.resolve() };
  const holder = await startNetwork();
  const running: Running[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(running.reverse().map((service) => service.stop()));
    holder.kill("SIGKILL");
  };
  try {
    const hosts = ["127.0.0.1 engine"];
    const failures: Promise<never>[] = [];
    const seen = new Set<string>();
    const start = async (of: ContainerState): Promise<void> => {
      for (const { alias, service } of of.bindings) {
        hosts.push(`127.0.0.1 ${alias} ${service.hostname}`);
        if (service.kind === "host")
          throw new TgoError(
            "USAGE",
            "the embedded engine cannot bind a service of the host to a container",
            {
              where: alias,
              remedy: "use Dagger's engine for this, or run the service in a container",
            },
          );
        if (seen.has(service.id)) continue;
        seen.add(service.id);
        await start(service.container);
        const started = await startService(cx, service, holder.pid ?? 0, hosts);
        running.push(started);
        failures.push(started.failed);
        await started.ready();
      }
    };
    await start(container);
    const failed = Promise.race(failures);
    failed.catch(() => undefined);
    return { network: holder.pid, hosts, failed, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A process in a new network namespace whose loopback is up. */
async function startNetwork(): Promise<ChildProcess> {
  const holder = spawn(
    "setpriv",
    [
      "--pdeathsig",
      "KILL",
      "unshare",
      "--net",
      "bash",
      "-c",
      "ip link set lo up && echo up && exec sleep infinity",
    ],
    { stdio: ["ignore", "pipe", "pipe"], detached: true },
  );
  let said = "";
  holder.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const [first] = (await Promise.race([once(holder.stdout, "data"), once(holder, "close")])) as [unknown];
  if (!Buffer.isBuffer(first))
    throw new TgoError("ENVIRONMENT", `a network namespace cannot be made: ${said.trim()}`, {
      remedy: "run as root; apt-get install -y iproute2",
    });
  return holder;
}

interface Running {
  /** Resolves when the exposed ports answer. */
  ready(): Promise<void>;
  readonly failed: Promise<never>;
  stop(kill?: boolean): Promise<void>;
}

async function startService(
  cx: Context,
  service: ContainerService,
  network: number,
  hosts: readonly string[],
): Promise<Running> {
  const { container, args, hostname } = service;
  const problem = emulationProblem(container.platform);
  if (problem) throw problem;
  const event = { kind: "service", title: args.join(" "), platform: container.platform } as const;
  const prepared = await cx.execs.prepare(container);
  const work = await cx.store.workFolder();
  await cx.views.makeUpper(`${work}/step/fs`, prepared.fs);
  cx.onEvent({ ...event, state: "start" });
  const { sandbox, scrub } = await cx.execs.start(container, prepared, { args }, work, {
    network,
    hosts,
    failed: NEVER,
    stop: () => Promise.resolve(),
  });
  let stopping = false;
  const ended = collect(sandbox, cx.signal, (chunk) => {
    for (const line of chunk.toString().split("\n"))
      if (line !== "") cx.onEvent({ ...event, state: "line", line: scrub(line) });
  }).finally(() => {
    cx.onEvent({ ...event, state: "end" });
  });
  const failed = ended.then(({ exitCode, stdout, stderr }): Promise<never> => {
    if (stopping) return NEVER;
    const message = `start service ${hostname} (${args.join(" ")}): exited: exit code: ${exitCode}`;
    const last = tail(scrub(stderr) || scrub(stdout));
    throw new ExecFailure(
      args.map(scrub),
      exitCode,
      scrub(stdout),
      scrub(stderr),
      last === "" ? message : `${message}\n${last}`,
    );
  });
  failed.catch(() => undefined);
  return {
    failed,
    ready: async () => {
      const waiting = new AbortController();
      try {
        for (const { port, protocol, experimentalSkipHealthcheck } of container.ports)
          if (protocol === "TCP" && !experimentalSkipHealthcheck)
            await Promise.race([portAnswers(port, network, waiting.signal), failed]);
      } finally {
        waiting.abort();
      }
    },
    stop: async (kill = false) => {
      stopping = true;
      signalCommand(sandbox, kill ? "SIGKILL" : "SIGTERM");
      const timer = setTimeout(() => {
        killSandbox(sandbox);
      }, STOP_AFTER_MS);
      await ended.catch(() => undefined);
      clearTimeout(timer);
      await cx.store.discard(work);
    },
  };
}

function tail(text: string): string {
  return text.trim().split("\n").slice(-20).join("\n");
}

/** Waits inside the namespace, where the port of the host cannot answer for it. */
async function portAnswers(port: number, network: number, signal: AbortSignal): Promise<void> {
  const loop = `until (exec 3<>/dev/tcp/127.0.0.1/${port}) 2>/dev/null; do sleep 0.05; done`;
  const child = spawn(
    "setpriv",
    ["--pdeathsig", "KILL", "nsenter", `--net=/proc/${network}/ns/net`, "bash", "-c", loop],
    {
      stdio: "ignore",
      signal,
      killSignal: "SIGKILL",
    },
  );
  child.on("error", () => undefined);
  await once(child, "close");
}

/** Services that were started for their own sake, not for a command. */
export class StartedServices {
  readonly #cx: Context;
  readonly #running = new Map<string, RunningServices>();

  constructor(cx: Context) {
    this.#cx = cx;
  }

  async start(service: ServiceState): Promise<void> {
    if (service.kind === "host" || this.#running.has(service.id)) return;
    const binding = { alias: service.hostname, service };
    this.#running.set(
      service.id,
      await startBindings(this.#cx, { ...service.container, bindings: [binding] }),
    );
  }

  async stop(service: ServiceState): Promise<void> {
    const running = this.#running.get(service.id);
    this.#running.delete(service.id);
    await running?.stop();
  }

  async stopAll(): Promise<void> {
    const all = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(all.map((running) => running.stop()));
  }
}
