import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Fault, FaultRule, FaultyRequest, SeenRequest } from "./fault.js";
import { listen } from "./front.js";
import {
  bodyOf,
  digestOf,
  forward,
  isTagged,
  remember,
  rewritten,
  type Upstream,
  type UpstreamResponse,
} from "./upstream.js";

export interface FaultProxy {
  /** `localhost:PORT`: what image references begin with. */
  readonly host: string;
  readonly url: string;
  /** The first matching rule applies. */
  readonly add: (rule: FaultRule) => void;
  readonly clear: () => void;
  /** Listens again on the same port, after `down`. */
  readonly up: () => Promise<void>;
  /** Resolves once the registry has answered all it was sent, also by clients that have gone. */
  readonly settled: () => Promise<void>;
  readonly requests: () => readonly SeenRequest[];
  /** How many faults were injected. */
  readonly faultCount: () => number;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a proxy in front of a real registry, which injects the faults it is given.
 * @param target origin of the registry, e.g. `http://localhost:5000`
 * @param port 0 takes a free one
 */
export async function startFaultProxy(target: string, port = 0): Promise<FaultProxy> {
  const upstream: Upstream = {
    target,
    agent: new Agent({ keepAlive: true }),
    past: new Map(),
    pending: new Set(),
  };
  const rules: { rule: FaultRule; left: number }[] = [];
  const requests: Seen[] = [];

  const server = createServer((req, res) => {
    const seen = new Seen(req, requests.length);
    requests.push(seen);
    res.once("close", () => {
      if (res.headersSent) seen.status = res.statusCode;
    });
    handle({ req, res, seen, rules, upstream, down }).catch(() => {
      res.destroy();
    });
  });
  server.requestTimeout = 0;
  // A connection that times out by itself would be an unplanned fault.
  server.keepAliveTimeout = 0;
  const down = (): void => {
    server.close();
    server.closeAllConnections();
  };
  await listen(server, port);
  const actualPort = (server.address() as AddressInfo).port;
  return {
    host: `localhost:${actualPort}`,
    url: `http://localhost:${actualPort}`,
    add: (rule) => rules.push({ rule, left: rule.times ?? Infinity }),
    clear: () => {
      rules.length = 0;
    },
    up: async () => {
      if (!server.listening) await listen(server, actualPort);
    },
    settled: async () => {
      while (upstream.pending.size > 0) await Promise.allSettled(upstream.pending);
    },
    requests: () => requests,
    faultCount: () => requests.filter(({ fault }) => fault !== undefined).length,
    stop: async () => {
      if (server.listening) await closed(server);
      upstream.agent.destroy();
    },
  };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

class Seen implements SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly at = performance.now();
  fault: Fault["kind"] | undefined;
  status: number | undefined;

  constructor(
    req: IncomingMessage,
    readonly number: number,
  ) {
    this.method = req.method ?? "GET";
    this.path = req.url ?? "/";
  }
}

interface Exchange {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly seen: Seen;
  readonly rules: { readonly rule: FaultRule; left: number }[];
  readonly upstream: Upstream;
  readonly down: () => void;
}

/** Chooses the fault for a request; reads its body when the rule depends on it. */
async function chooseFault({ req, seen, rules }: Exchange): Promise<{ fault?: Fault; body?: Buffer }> {
  const request: FaultyRequest = seen;
  const found = rules.find(({ rule, left }) => left > 0 && rule.on(request));
  if (found === undefined) return {};
  const { fault } = found.rule;
  const body = fault.kind === "refuse-manifest" ? await bodyOf(req) : undefined;
  if (fault.kind === "refuse-manifest" && body !== undefined && !fault.like.test(body.toString()))
    return { body };
  found.left -= 1;
  seen.fault = fault.kind;
  return { fault, ...(body === undefined ? {} : { body }) };
}

async function handle(exchange: Exchange): Promise<void> {
  const { req, res, seen, upstream, down } = exchange;
  const { fault, body } = await chooseFault(exchange);
  switch (fault?.kind) {
    case "refuse":
      req.socket.destroy();
      return;
    case "down":
      down();
      return;
    case "hang":
      req.resume();
      return;
    case "reset":
      await readBytes(req, fault.afterBytes);
      req.socket.destroy();
      return;
    case "answer":
    case "refuse-manifest": {
      if (body === undefined) await bodyOf(req);
      const headers = { "content-type": "application/json", ...("headers" in fault ? fault.headers : {}) };
      res.writeHead(fault.status, headers).end(fault.body ?? "{}");
      return;
    }
    case "forget":
      await bodyOf(req);
      res.writeHead(201, { location: seen.path }).end();
      return;
    case "stale": {
      await bodyOf(req);
      const previous = upstream.past.get(seen.path);
      res
        .writeHead(previous?.status ?? 404, previous?.headers)
        .end(req.method === "HEAD" ? undefined : previous?.body);
      return;
    }
    case "delay":
      await sleep(fault.ms);
      break;
    default:
      break;
  }
  const sent = {
    method: seen.method,
    path: seen.path,
    headers: req.headers,
    body: body ?? (await bodyOf(req)),
  };
  if (req.method === "PUT" && isTagged(req.url)) await remember(upstream, req);
  const response = await forward(upstream, fault?.kind === "rewrite" ? rewritten(sent) : sent);
  if (fault?.kind === "lose-answer") req.socket.destroy();
  else if (fault?.kind === "rewrite" && fault.silent === true)
    respond(exchange, {
      ...response,
      headers: { ...response.headers, "docker-content-digest": digestOf(sent.body) },
    });
  else if (fault?.kind === "cut" || fault?.kind === "stall" || fault?.kind === "drip")
    await respondBadly(exchange, response, fault);
  else respond(exchange, response);
}

function respond({ req, res }: Exchange, { status, headers, body }: UpstreamResponse): void {
  res.writeHead(status, headers).end(req.method === "HEAD" ? undefined : body);
}

async function respondBadly(
  { req, res }: Exchange,
  { status, headers, body }: UpstreamResponse,
  fault: Extract<Fault, { kind: "cut" | "stall" | "drip" }>,
): Promise<void> {
  res.writeHead(status, { ...headers, "content-length": String(body.length) });
  if (req.method === "HEAD") {
    res.end();
    return;
  }
  if (fault.kind === "drip") {
    const size = Math.ceil(body.length / fault.pieces);
    for (let at = 0; at < body.length; at += size) {
      await sleep(fault.ms);
      res.write(body.subarray(at, at + size));
    }
    res.end();
    return;
  }
  await new Promise<void>((resolve) => {
    res.write(body.subarray(0, fault.afterBytes), () => {
      resolve();
    });
  });
  if (fault.kind === "cut") req.socket.destroy();
}

async function readBytes(message: IncomingMessage, bytes: number): Promise<void> {
  let read = 0;
  for await (const chunk of message) {
    read += (chunk as Buffer).length;
    if (read >= bytes) return;
  }
}
