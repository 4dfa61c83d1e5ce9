import { once } from "node:events";
import { connect } from "node:net";

const TIMEOUT_MS = 10_000;

/**
 * Connects to the socket of an engine, and closes the connection: the dagger command would try one that cannot be reached for
 * minutes. Engines in containers may have to start first, and are not asked.
 * @throws Error of the connection
 */
export async function reachEngine(address: string): Promise<void> {
  const { protocol, hostname, port, pathname } = new URL(address);
  if (protocol !== "tcp:" && protocol !== "unix:") return;
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  const socket = connect(protocol === "unix:" ? { path: pathname } : { host, port: Number(port) });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError")
      throw new Error(`no connection within ${TIMEOUT_MS / 1000} s`, { cause: error });
    throw error;
  } finally {
    socket.destroy();
  }
}
