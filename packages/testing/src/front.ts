import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream";
import { TgoError } from "@tgo/errors";

export interface Front {
  readonly port: number;
  readonly close: () => Promise<void>;
}

export interface FrontOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Path of the registry's socket. */
  readonly socket: string;
  /** Closes connections that were idle this long, in milliseconds; 0, the default: never, as the registry behind it. */
  readonly idleTimeoutMs?: number;
}

/**
 * Listens on loopback, passes `/token` to `onToken` and streams everything else to the registry behind `socket`. Keeps
 * the client's Host, so that the registry's Location headers name this front end.
 */
export async function startFront(
  { port, socket, idleTimeoutMs = 0 }: FrontOptions,
  onToken: (req: IncomingMessage, res: ServerResponse) => Promise<void>,
): Promise<Front> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((req, res) => {
    if (/^\/token(\?|$)/.test(req.url ?? "")) {
      onToken(req, res).catch((error: unknown) => res.destroy(error instanceof Error ? error : undefined));
    } else {
      forward(req, res, socket, agent);
    }
  });
  // A blob may take longer than Node's default of five minutes on a slow machine.
  server.requestTimeout = 0;
  server.keepAliveTimeout = idleTimeoutMs;
  await listen(server, port);
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          agent.destroy();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

function forward(req: IncomingMessage, res: ServerResponse, socketPath: string, agent: Agent): void {
  const headers = { ...req.headers };
  delete headers.connection;
  // Without a token, the response is a challenge whatever the body is. The registry would send it and close the
  // connection in the middle of a long body, and the client would lose the response.
  const anonymous = headers.authorization === undefined;
  if (anonymous) {
    delete headers["content-length"];
    delete headers["transfer-encoding"];
  }
  const upstream = request({ socketPath, agent, method: req.method, path: req.url, headers });
  upstream.once("response", (response) => {
    const kept = { ...response.headers };
    delete kept.connection;
    delete kept["keep-alive"];
    res.writeHead(response.statusCode ?? 502, kept);
    pipeline(response, res, () => undefined);
  });
  upstream.once("error", (error) => {
    // A registry may refuse a body before reading it, and close the connection: its response has been sent already.
    if (res.headersSent) return;
    res.writeHead(502, { "content-type": "text/plain" }).end(`registry behind the front: ${error.message}\n`);
  });
  res.once("close", () => {
    if (!res.writableFinished) upstream.destroy();
  });
  if (anonymous) {
    upstream.end();
    req.resume();
  } else {
    req.pipe(upstream);
  }
}

export function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        new TgoError("ENVIRONMENT", `cannot listen on port ${port}`, {
          where: `127.0.0.1:${port}`,
          remedy: "Choose another port, or stop the program that uses it.",
          cause,
        }),
      );
    });
    server.listen(port, "127.0.0.1", resolve);
  });
}
