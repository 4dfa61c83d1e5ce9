import { once } from "node:events";
import { lookup } from "node:dns/promises";
import { Server, connect, isIP, type Socket } from "node:net";
import { networkInterfaces } from "node:os";
import { TgoError } from "@tgo/errors";
import { isLoopback } from "@tgo/registry";
import { startHostProcess } from "../host-process.js";

/** A server of this machine that commands may reach, at its own address and port. */
export interface Forward {
  /** As the option names it. */
  readonly host: string;
  readonly port: number;
  /** This machine's addresses behind the name. */
  readonly addresses: readonly string[];
  /** Lines for /etc/hosts. */
  readonly hosts: readonly string[];
}

/**
 * The servers of this machine among the given ones. Others need no forward.
 * @param urls http and https URLs that the caller's options name
 */
export async function findForwards(urls: readonly string[]): Promise<readonly Forward[]> {
  const found = await Promise.all([...new Set(urls)].map(forwardOf));
  return found.filter((forward) => forward !== undefined);
}

async function forwardOf(url: string): Promise<Forward | undefined> {
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const own = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
  const resolved = await lookup(host, { all: true }).catch(() => []);
  const addresses = resolved.map(({ address }) => address);
  const local = addresses.filter((address) => isLoopback(bracketed(address)) || own.includes(address));
  if (local.length === 0) return undefined;
  const isName = isIP(host) === 0 && host !== "localhost";
  return {
    host,
    port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    addresses: local,
    hosts: isName ? local.map((address) => `${address} ${host}`) : [],
  };
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

/** Opens a listener in a namespace and hands it to the parent, whose connections come from outside the namespace. */
const LISTEN = `
const { createServer } = require("node:net");
const wanted = JSON.parse(process.argv[1]);
let open = wanted.length;
const done = () => --open === 0 && process.disconnect();
if (open === 0) process.disconnect();
for (const { host, port, index } of wanted) {
  const server = createServer();
  server.on("error", done);
  server.listen({ host, port, exclusive: true }, () => process.send(index, server, {}, () => server.close(done)));
}`;

/**
 * Forwards the servers' ports from a network namespace.
 * @returns closes all
 * @throws TgoError ENVIRONMENT
 */
export async function openForwards(pid: number, forwards: readonly Forward[]): Promise<() => void> {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  const wanted = forwards.flatMap(({ addresses, port }, index) =>
    addresses.map((host) => ({ host, port, index })),
  );
  const child = startHostProcess(
    [
      ...["nsenter", `--net=/proc/${pid}/ns/net`],
      ...[process.execPath, "-e", LISTEN, JSON.stringify(wanted)],
    ],
    { stdio: ["ignore", "ignore", "inherit", "ipc"] },
  );
  child.on("message", (index, handle) => {
    const forward = forwards[index as number];
    if (!(handle instanceof Server) || forward === undefined) return;
    servers.push(handle);
    handle.on("connection", (inside) => {
      relay(inside, connect({ host: forward.host, port: forward.port }), sockets);
    });
  });
  const [code] = (await once(child, "close")) as [number | null];
  const close = (): void => {
    for (const server of servers) server.close();
    for (const socket of sockets) socket.destroy();
  };
  if (code === 0) return close;
  close();
  throw new TgoError("ENVIRONMENT", "cannot forward a mirror of this machine into a network namespace");
}

/** Passes bytes both ways; a failure of one side resets the other. */
function relay(inside: Socket, outside: Socket, sockets: Set<Socket>): void {
  for (const [from, to] of [
    [inside, outside],
    [outside, inside],
  ] as const) {
    sockets.add(from);
    from.on("error", () => to.resetAndDestroy());
    from.on("close", () => sockets.delete(from));
    from.pipe(to);
  }
}
