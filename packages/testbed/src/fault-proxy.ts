import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { listen } from "./front.js";

/** What goes wrong with one request. */
export type Fault =
  /** The connection is closed before anything is read. */
  | { readonly kind: "refuse" }
  /** The connection is closed after this many bytes of the request's body. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** The registry does what it is asked, and its answer is lost. */
  | { readonly kind: "lose-answer" }
  /** An answer of this status instead of the registry's. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** The answer comes, this much later. */
  | { readonly kind: "delay"; readonly ms: number }
  /** No answer ever. */
  | { readonly kind: "hang" }
  /** A PUT is accepted and forgotten: what was put is missing when read. */
  | { readonly kind: "forget" }
  /** A manifest is read as it was before it was last written. */
  | { readonly kind: "stale" }
  /** A manifest is stored with other bytes than were sent. */
  | { readonly kind: "rewrite" };

export interface FaultyRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** How many requests came before it, this proxy's whole life. */
  readonly number: number;
}

export interface FaultRule {
  readonly on: (request: FaultyRequest) => boolean;
  readonly fault: Fault;
  /** How often it strikes; without it, always. */
  readonly times?: number;
}

export interface FaultProxy {
  /** `localhost:PORT`: what image references begin with. */
  readonly host: string;
  readonly url: string;
  /** The first rule that fits strikes. */
  readonly add: (rule: FaultRule) => void;
  readonly clear: () => void;
  readonly requests: () => readonly FaultyRequest[];
  /** How many faults have struck. */
  readonly struck: () => number;
  readonly stop: () => Promise<void>;
}

/** A manifest's answers as they were before its last write, by path. */
type Past = Map<
  string,
  { readonly status: number; readonly headers: IncomingMessage["headers"]; readonly body: Buffer }
>;

/**
 * A registry that fails as it is told, in front of a real one.
 * @param target origin of the registry, e.g. `http://localhost:5000`
 * @param port 0 takes a free one
 */
export async function startFaultProxy(target: string, port = 0): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const rules: { rule: FaultRule; left: number }[] = [];
  const requests: FaultyRequest[] = [];
  const past: Past = new Map();
  let struck = 0;

  const faultOf = (asked: FaultyRequest): Fault | undefined => {
    const found = rules.find(({ rule, left }) => left > 0 && rule.on(asked));
    if (found === undefined) return undefined;
    found.left -= 1;
    struck += 1;
    return found.rule.fault;
  };

  const server = createServer((req, res) => {
    const asked = { method: req.method ?? "GET", path: req.url ?? "/", number: requests.length };
    requests.push(asked);
    handle(req, res, faultOf(asked), { target, agent, past }).catch(() => {
      res.destroy();
    });
  });
  server.requestTimeout = 0;
  await listen(server, port);
  const held = (server.address() as AddressInfo).port;
  return {
    host: `localhost:${held}`,
    url: `http://localhost:${held}`,
    add: (rule) => rules.push({ rule, left: rule.times ?? Infinity }),
    clear: () => {
      rules.length = 0;
    },
    requests: () => requests,
    struck: () => struck,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          agent.destroy();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

interface Upstream {
  readonly target: string;
  readonly agent: Agent;
  readonly past: Past;
}

async function handle(
  req: IncomingMessage,
  res: ServerResponse,
  fault: Fault | undefined,
  upstream: Upstream,
): Promise<void> {
  switch (fault?.kind) {
    case "refuse":
      req.socket.destroy();
      return;
    case "hang":
      req.resume();
      return;
    case "reset":
      await atMost(req, fault.afterBytes);
      req.socket.destroy();
      return;
    case "answer":
      await bodyOf(req);
      res
        .writeHead(fault.status, { "content-type": "application/json", ...fault.headers })
        .end(fault.body ?? "{}");
      return;
    case "forget": {
      await bodyOf(req);
      res.writeHead(201, { location: req.url ?? "/" }).end();
      return;
    }
    case "stale": {
      await bodyOf(req);
      const before = upstream.past.get(req.url ?? "");
      res
        .writeHead(before?.status ?? 404, before?.headers)
        .end(req.method === "HEAD" ? undefined : before?.body);
      return;
    }
    case "delay":
      await new Promise((resolve) => setTimeout(resolve, fault.ms));
      break;
    case "rewrite":
    case "lose-answer":
    case undefined:
      break;
  }
  const sent = await bodyOf(req);
  // Another indentation is another digest.
  const body =
    fault?.kind === "rewrite" ? Buffer.from(JSON.stringify(JSON.parse(sent.toString()), null, 7)) : sent;
  if (req.method === "PUT" && isManifest(req.url)) await remember(req, upstream);
  const answer = await forward(upstream, {
    method: req.method ?? "GET",
    path: req.url ?? "/",
    headers: req.headers,
    body,
  });
  if (fault?.kind === "lose-answer") {
    req.socket.destroy();
    return;
  }
  res.writeHead(answer.status, answer.headers).end(req.method === "HEAD" ? undefined : answer.body);
}

function isManifest(path: string | undefined): boolean {
  return /^\/v2\/.+\/manifests\/[^/]+$/.test(path ?? "");
}

const MANIFESTS = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

async function remember(req: IncomingMessage, upstream: Upstream): Promise<void> {
  const { authorization, host } = req.headers;
  const headers = { host, accept: MANIFESTS, ...(authorization === undefined ? {} : { authorization }) };
  upstream.past.set(
    req.url ?? "",
    await forward(upstream, { method: "GET", path: req.url ?? "/", headers, body: Buffer.alloc(0) }),
  );
}

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** The Host header stays the client's, so that the registry's Location headers name the proxy. */
function forward(
  { target, agent }: Upstream,
  { method, path, headers, body }: Sent,
): Promise<{ status: number; headers: IncomingMessage["headers"]; body: Buffer }> {
  const kept: IncomingMessage["headers"] = { ...headers };
  delete kept.connection;
  delete kept["transfer-encoding"];
  if (body.length > 0 || method === "PUT" || method === "POST") kept["content-length"] = String(body.length);
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, target), { method, headers: kept, agent }, (answer) => {
      bodyOf(answer).then((bytes) => {
        const back = { ...answer.headers };
        delete back.connection;
        delete back["keep-alive"];
        resolve({ status: answer.statusCode ?? 502, headers: back, body: bytes });
      }, reject);
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function atMost(message: IncomingMessage, bytes: number): Promise<void> {
  let read = 0;
  for await (const chunk of message) {
    read += (chunk as Buffer).length;
    if (read >= bytes) return;
  }
}
