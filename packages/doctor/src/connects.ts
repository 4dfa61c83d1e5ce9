import { problemOf, TgoError, type Problem } from "@tgo/errors";
import { connect } from "node:net";

const LIMIT_MS = 3000;

/**
 * Whether something listens at the address of a proxy, mirror or engine.
 * @param address a URL, whose credentials are not sent; unix: names a socket
 * @param remedy for the reader
 * @returns the problem; undefined if a connection was made
 */
export async function connects(address: string, remedy: string): Promise<Problem | undefined> {
  if (!URL.canParse(address))
    return problemOf(
      new TgoError("ENVIRONMENT", "is not a URL", { remedy: `${remedy} It looks like http://proxy:3128.` }),
    );
  const { hostname, pathname, port, protocol } = new URL(address);
  const number = Number(port) || (protocol === "https:" ? 443 : protocol.startsWith("socks") ? 1080 : 80);
  const host = hostname.replace(/^\[|\]$/g, "");
  const target = protocol === "unix:" ? { path: pathname } : { host, port: number };
  const why = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ ...target, timeout: LIMIT_MS });
    const end = (result: string | undefined): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => {
      end(undefined);
    });
    socket.once("timeout", () => {
      end(`no answer within ${LIMIT_MS / 1000} s`);
    });
    socket.once("error", ({ code, message }: NodeJS.ErrnoException) => {
      end(WORDS[code ?? ""] ?? message);
    });
  });
  return why === undefined
    ? undefined
    : problemOf(
        new TgoError("ENVIRONMENT", `cannot be reached at ${target.path ?? `${host}:${number}`}: ${why}`, {
          remedy,
        }),
      );
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOENT: "no such file",
  ENOTFOUND: "no such host",
  EAI_AGAIN: "no such host",
  EHOSTUNREACH: "no route to it",
  ENETUNREACH: "no route to it",
};
