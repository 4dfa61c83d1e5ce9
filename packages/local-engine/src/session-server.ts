import { createHash, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Api } from "./api/api.js";

export interface SessionServer {
  readonly server: Server;
  /** Waits for all running queries. */
  readonly idle: () => Promise<unknown>;
}

/** A query holds the files it writes: the container tools are the largest, at a tenth of a megabyte. */
const MAX_BODY_BYTES = 16 << 20;

/** For a request to arrive. How long it then runs has no limit here: builds take their time. */
const ARRIVAL_MS = 60_000;

/** How long a refused request's body is thrown away: a client that only hears a reset would not see the answer. */
const DISCARD_MS = 1_000;

interface Answer {
  readonly status: number;
  readonly result: unknown;
}

/** The Dagger session protocol: POST /query, Basic auth with the token as the user. */
export function createSessionServer(api: Api, token: string): SessionServer {
  const expected = digest(`Basic ${Buffer.from(`${token}:`).toString("base64")}`);
  const open = new Set<Promise<void>>();

  /** Decided by the request's head: a stranger's body is never kept. */
  const refusal = ({ headers, method, url, socket }: IncomingMessage): Answer | undefined => {
    // A page in a browser can reach 127.0.0.1 by a name of its own (DNS rebinding).
    if (!isOwnAddress(headers.host, socket)) return failed(403, "the engine serves this machine only");
    if (!timingSafeEqual(digest(headers.authorization ?? ""), expected))
      return failed(401, "wrong session token");
    if (method !== "POST" || url !== "/query") return failed(404, "the engine serves POST /query only");
    return Number(headers["content-length"] ?? 0) > MAX_BODY_BYTES ? TOO_LARGE : undefined;
  };

  const query = async (text: string): Promise<Answer> => {
    const { query, variables } = JSON.parse(text) as { query: string; variables?: Record<string, unknown> };
    return { status: 200, result: await api.execute(query, variables) };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readBody(request);
    if (text === undefined) return respond(request, response, TOO_LARGE);
    const done = query(text)
      .catch((error: unknown) => failed(400, String(error)))
      .then((answer) => respond(request, response, answer))
      .finally(() => open.delete(done));
    open.add(done);
  };

  const accept = (
    request: IncomingMessage,
    response: ServerResponse,
    beforeBody = (): void => undefined,
  ): void => {
    const refused = refusal(request);
    if (refused === undefined) beforeBody();
    const done = refused === undefined ? serve(request, response) : respond(request, response, refused);
    // The client is gone.
    done.catch(() => response.destroy());
  };

  const server = createServer((request, response) => {
    accept(request, response);
  });
  // A client that asks first, as curl does, need not send a body that is refused.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    accept(request, response, () => {
      response.writeContinue();
    });
  });
  // The SDK keeps its connections open: if an idle one were closed, its next request would fail.
  server.keepAliveTimeout = 0;
  server.headersTimeout = server.requestTimeout = ARRIVAL_MS;
  return { server, idle: () => Promise.all(open) };
}

function failed(status: number, message: string): Answer {
  return { status, result: { errors: [{ message }] } };
}

const TOO_LARGE = failed(413, `the request is larger than ${MAX_BODY_BYTES >> 20} MiB`);

/** Of equal length for any text, as the comparison wants it. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function isOwnAddress(host: string | undefined, { localPort }: Socket): boolean {
  return ["127.0.0.1", "localhost"].some((name) => host === `${name}:${localPort}`);
}

/** @returns undefined if it is too large */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  // Leaving the loop must not close the connection before the answer.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString();
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { status, result }: Answer,
): Promise<void> {
  if (!request.complete) discard(request);
  response.writeHead(status, { "content-type": "application/json" });
  await new Promise<void>((resolve) => response.once("close", resolve).end(JSON.stringify(result)));
}

/** Throws away the rest of a request, and closes its connection if there is too much of it. */
function discard(request: IncomingMessage): void {
  request.resume();
  setTimeout(() => {
    if (!request.complete) request.destroy();
  }, DISCARD_MS).unref();
}
