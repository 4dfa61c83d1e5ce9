import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import type { Readable } from "node:stream";
import { TgoError } from "@tgo/errors";
import { startHostProcess } from "../host-process.js";
import { findForwards, openForwards, type Forward } from "./forwards.js";
import type { NetworkNamespace } from "./sandbox.js";

/** Docker's settings of a container's network: any user may listen on port 80, and ping. */
const SETTINGS = [
  "echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start",
  "echo 0 2147483647 >/proc/sys/net/ipv4/ping_group_range",
];

/** Link-local addresses: on rented machines, a service that hands out the machine's credentials listens there. */
const LINK_LOCAL = ["169.254.0.0/16", "fe80::/10"];

/**
 * The loopback interface has them, but a socket that is bound to another interface (SO_BINDTODEVICE) asks the main table:
 * slirp4netns would take its packets to this machine's loopback.
 */
const LOOPBACK = ["127.0.0.0/8", "::1/128"];

/**
 * Addresses that a namespace has for itself, its gateway and its name server, from ranges that are for documentation: no
 * real network is hidden behind them.
 */
const PREFIXES = ["198.51.100.", "203.0.113.", "192.0.2."] as const;

/** A network namespace and the processes that keep it. */
export interface OwnNetwork extends NetworkNamespace {
  close(): void;
}

/**
 * A new network namespace with a loopback interface only.
 * @throws TgoError ENVIRONMENT
 */
export async function privateNetwork(hosts: readonly string[]): Promise<OwnNetwork> {
  const holder = await holdNamespace([]);
  return { pid: holder.pid ?? 0, hosts, close: () => void holder.kill("SIGKILL") };
}

/**
 * A new network namespace from which other machines can be reached, through connections that a process of this machine makes.
 * Nothing of this machine can be reached: not its loopback interface, not its other addresses; except the forwards.
 * @throws TgoError ENVIRONMENT
 */
export async function outsideNetwork(forwards: readonly Forward[]): Promise<OwnNetwork> {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const outside = own.filter(({ internal }) => !internal).map(({ address }) => address);
  const prefix = PREFIXES.find((each) => !outside.some((address) => address.startsWith(each))) ?? PREFIXES[0];
  const { resolvConf, ipv6 } = await nameServers(prefix);
  const forwarded = forwards.flatMap(({ addresses }) => addresses);
  const setup = [
    ...outside
      .filter((address) => !forwarded.includes(address))
      .concat(LINK_LOCAL, LOOPBACK)
      .map(unreachable),
    ...outside
      .filter((address) => forwarded.includes(address))
      .map((address) => optional(`ip address add ${address} dev lo`)),
  ];
  const holder = await holdNamespace(setup);
  const pid = holder.pid ?? 0;
  const children: ChildProcess[] = [holder];
  const closeAll: (() => void)[] = [
    () => {
      for (const child of children) child.kill("SIGKILL");
    },
  ];
  const close = (): void => {
    for (const each of closeAll) each();
  };
  try {
    children.push(await connectNamespace(pid, { prefix, ipv6 }));
    if (forwards.length > 0) closeAll.push(await openForwards(pid, forwards));
  } catch (error) {
    close();
    throw error;
  }
  return { pid, hosts: forwards.flatMap(({ hosts }) => hosts), resolvConf, close };
}

/** Of IPv6 only where the kernel has it. */
function unreachable(address: string): string {
  const route = `ip route replace unreachable ${address}`;
  return address.includes(":") ? optional(route) : route;
}

function optional(line: string): string {
  return `{ ${line}; } 2>/dev/null || true`;
}

/** Starts a process that holds a new network namespace, with its loopback interface up. */
async function holdNamespace(setup: readonly string[]): Promise<ChildProcess> {
  const lines = ["ip link set lo up", ...SETTINGS.map(optional), ...setup];
  const script = ["set -e", ...lines, "echo up", "exec sleep infinity"].join("\n");
  const holder = startHostProcess(["unshare", "--net", "bash", "--norc", "-c", script], {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  await ready(
    holder,
    holder.stdout as Readable,
    "cannot create a network namespace",
    "run as root; apt-get install -y iproute2",
  );
  return holder;
}

/** Connects a namespace to the outside. The process ends with this one: it watches one end of a pipe. */
async function connectNamespace(
  pid: number,
  { prefix, ipv6 }: { readonly prefix: string; readonly ipv6: boolean },
): Promise<ChildProcess> {
  const child = startHostProcess(
    [
      ...["slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback"],
      ...["--enable-sandbox", "--enable-seccomp", ...(ipv6 ? ["--enable-ipv6"] : [])],
      ...[`--cidr=${prefix}0/24`, "--exit-fd=3", "--ready-fd=4", String(pid), "tap0"],
    ],
    { stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"], detached: true },
  );
  await ready(
    child,
    child.stdio[4] as Readable,
    "cannot connect a network namespace",
    "load the kernel module tun (modprobe tun); apt-get install -y --no-install-recommends slirp4netns",
  );
  return child;
}

/** Waits for a child's first output. */
async function ready(child: ChildProcess, output: Readable, what: string, remedy: string): Promise<void> {
  let message = "";
  child.stderr?.on("data", (chunk: Buffer) => (message += chunk.toString()));
  child.on("error", (error) => (message += error.message));
  const ended = once(child, "close").catch(() => undefined);
  const [first] = ((await Promise.race([once(output, "data"), ended])) ?? []) as [unknown];
  if (Buffer.isBuffer(first)) return;
  throw new TgoError("ENVIRONMENT", `${what}: ${message.trim()}`, { remedy });
}

/**
 * The name servers that commands see: one at an address that stands for this machine's, wherever those are. Search domains
 * and options are this machine's, as in Docker.
 */
async function nameServers(prefix: string): Promise<{ resolvConf: string; ipv6: boolean }> {
  const [host, routes] = await Promise.all(
    ["/etc/resolv.conf", "/proc/net/route"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const lines = (host ?? "").split("\n");
  const kept = lines.filter((line) => /^\s*(search|domain|options)\s/.test(line));
  // Without IPv4, both the servers and everything else are reached through IPv6.
  const ipv6 =
    !lines.some((line) => /^\s*nameserver\s+[\d.]+\s*$/.test(line)) ||
    !/^\S+\t00000000\t/m.test(routes ?? "");
  const server = ipv6 ? "fd00::3" : `${prefix}3`;
  return { resolvConf: [`nameserver ${server}`, ...kept, ""].join("\n"), ipv6 };
}

/**
 * The networks that commands use: one for each command that runs, used again when that has ended, because making one takes
 * longer than most commands.
 */
export class Networks {
  readonly #free: Promise<OwnNetwork>[] = [];
  readonly #all: Promise<OwnNetwork>[] = [];

  /** @param forwards what of this machine can be reached, found out once */
  constructor(private readonly forwards: () => Promise<readonly Forward[]>) {}

  /**
   * Runs a task with a network that no other command uses.
   * @param urls of servers of this machine that only this task may reach
   */
  async use<T>(task: (network: NetworkNamespace) => Promise<T>, urls: readonly string[] = []): Promise<T> {
    const more = await findForwards(urls);
    if (more.length > 0) {
      const network = await outsideNetwork([...(await this.forwards()), ...more]);
      return task(network).finally(() => {
        network.close();
      });
    }
    const network = this.#free.pop() ?? this.#make();
    try {
      return await task(await network);
    } finally {
      if (this.#all.includes(network)) this.#free.push(network);
    }
  }

  #make(): Promise<OwnNetwork> {
    const network = this.forwards().then(outsideNetwork);
    this.#all.push(network);
    network.catch(() => this.#all.splice(this.#all.indexOf(network), 1));
    return network;
  }

  /** Ends all processes that keep the networks. */
  async close(): Promise<void> {
    const all = [...this.#all];
    this.#all.length = this.#free.length = 0;
    for (const network of await Promise.allSettled(all))
      if (network.status === "fulfilled") network.value.close();
  }
}
