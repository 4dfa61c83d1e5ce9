import { randomBytes } from "node:crypto";
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Keychain } from "@tgo/registry";
import { Api } from "./api.js";
import { Context } from "./context.js";
import type { EngineEvent } from "./events.js";
import { checkHost } from "./host.js";
import { Store } from "./store.js";

export interface EngineOptions {
  /** Where results are kept between runs. Default `${XDG_CACHE_HOME:-~/.cache}/tgo/engine`. */
  readonly home?: string | undefined;
  /** Stops everything that runs, and the engine. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: EngineEvent) => void) | undefined;
  /** A file with the CA certificates this machine trusts, shown to every command; never part of an image. */
  readonly caBundle?: string | undefined;
  /** Credentials by host. Default: none, every registry is met as a stranger. */
  readonly keychain?: Keychain | undefined;
  /** Registries that stand in for others, transparently: `{"docker.io": "localhost:5000"}`. */
  readonly mirrors?: Readonly<Record<string, string>> | undefined;
}

export interface Engine {
  /** For DAGGER_SESSION_PORT; on 127.0.0.1. */
  readonly port: number;
  /** For DAGGER_SESSION_TOKEN. */
  readonly token: string;
  /** Stops what runs, and waits until it is gone. */
  close(): Promise<void>;
}

/**
 * Starts an engine that an unmodified Dagger SDK talks to: it serves the part of the API in schema.graphql.ts.
 * @throws TgoError ENVIRONMENT when this machine cannot run it
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const [problem] = checkHost();
  if (problem) throw problem;
  const home = options.home ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "tgo/engine");
  const store = await Store.open(resolve(home));
  const stop = new AbortController();
  // Every command and every request listens: many is no leak.
  setMaxListeners(0, stop.signal);
  const cx = new Context(store, {
    signal: stop.signal,
    onEvent: options.onEvent ?? (() => undefined),
    caBundle: options.caBundle,
    keychain: options.keychain ?? (() => Promise.resolve(undefined)),
    mirrors: options.mirrors ?? {},
  });
  const token = randomBytes(24).toString("base64url");
  const { server, answered } = serve(new Api(cx), token);
  // The SDK keeps its connections: one closed for idleness would meet the next request, which then fails.
  server.keepAliveTimeout = server.requestTimeout = server.headersTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      stop.abort();
      const closed = new Promise((resolve) => server.close(resolve));
      await answered();
      server.closeAllConnections();
      await closed;
    })());
  options.signal?.addEventListener("abort", () => void close());
  if (options.signal?.aborted) await close();
  return { port: (server.address() as AddressInfo).port, token, close };
}

/** The Dagger session protocol: POST /query, Basic auth with the token as the user. */
function serve(api: Api, token: string): { server: Server; answered: () => Promise<unknown> } {
  const expected = `Basic ${Buffer.from(`${token}:`).toString("base64")}`;
  const open = new Set<Promise<void>>();
  const answer = async (request: IncomingMessage): Promise<{ status: number; result: unknown }> => {
    const failed = (status: number, message: string) => ({ status, result: { errors: [{ message }] } });
    const text = await body(request);
    if (request.headers.authorization !== expected) return failed(401, "wrong session token");
    if (request.method !== "POST" || request.url !== "/query")
      return failed(404, "the engine serves POST /query");
    const { query, variables } = JSON.parse(text) as { query: string; variables?: Record<string, unknown> };
    return { status: 200, result: await api.answer(query, variables) };
  };
  const server = createServer((request, response) => {
    const done = answer(request)
      .catch((error: unknown) => ({ status: 400, result: { errors: [{ message: String(error) }] } }))
      .then(async ({ status, result }) => {
        response.writeHead(status, { "content-type": "application/json" });
        await new Promise<void>((resolve) => response.once("close", resolve).end(JSON.stringify(result)));
      })
      .finally(() => open.delete(done));
    open.add(done);
  });
  return { server, answered: () => Promise.all(open) };
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
