import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Api } from "./api/api.js";

export interface SessionServer {
  readonly server: Server;
  /** Waits for all open requests. */
  readonly idle: () => Promise<unknown>;
}

/** The Dagger session protocol: POST /query, Basic auth with the token as the user. */
export function createSessionServer(api: Api, token: string): SessionServer {
  const expected = `Basic ${Buffer.from(`${token}:`).toString("base64")}`;
  const open = new Set<Promise<void>>();
  const handle = async (request: IncomingMessage): Promise<{ status: number; result: unknown }> => {
    const failed = (status: number, message: string) => ({ status, result: { errors: [{ message }] } });
    const text = await readBody(request);
    if (request.headers.authorization !== expected) return failed(401, "wrong session token");
    if (request.method !== "POST" || request.url !== "/query")
      return failed(404, "the engine serves POST /query only");
    const { query, variables } = JSON.parse(text) as { query: string; variables?: Record<string, unknown> };
    return { status: 200, result: await api.execute(query, variables) };
  };
  const server = createServer((request, response) => {
    const done = handle(request)
      .catch((error: unknown) => ({ status: 400, result: { errors: [{ message: String(error) }] } }))
      .then(async ({ status, result }) => {
        response.writeHead(status, { "content-type": "application/json" });
        await new Promise<void>((resolve) => response.once("close", resolve).end(JSON.stringify(result)));
      })
      .finally(() => open.delete(done));
    open.add(done);
  });
  // The SDK keeps its connections open: if an idle one were closed, its next request would fail.
  server.keepAliveTimeout = server.requestTimeout = server.headersTimeout = 0;
  return { server, idle: () => Promise.all(open) };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
