import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { listen } from "./front.js";

export interface OddServer {
  readonly host: string;
  readonly url: string;
  readonly port: number;
  /** How many requests it has received. */
  readonly requests: () => number;
  readonly stop: () => Promise<void>;
}

/** Responds to everything with 200 and a small JSON body: a foreign program on a service's port. @param port 0 takes a free one */
export function decoyServer(port = 0): Promise<OddServer> {
  return serve(port, "application/json", JSON.stringify({ status: "ok", server: "decoy" }));
}

/** Responds to everything with 200 and HTML, like a login page in front of a registry. @param port 0 takes a free one */
export function htmlServer(port = 0): Promise<OddServer> {
  return serve(
    port,
    "text/html; charset=utf-8",
    "<!doctype html><title>Welcome</title><h1>Please log in</h1>",
  );
}

async function serve(port: number, contentType: string, body: string): Promise<OddServer> {
  let requests = 0;
  const server: Server = createServer((req, res) => {
    requests += 1;
    req.resume();
    res.writeHead(200, { "content-type": contentType }).end(body);
  });
  await listen(server, port);
  const actualPort = (server.address() as AddressInfo).port;
  return {
    host: `localhost:${actualPort}`,
    url: `http://localhost:${actualPort}`,
    port: actualPort,
    requests: () => requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
