import { Agent, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { FakeRequest } from "./fake-registry.js";
import { listen } from "./front.js";
import type { MemoryRegistry } from "./memory-registry.js";
import { combined, type Pass, type Quirk } from "./quirks.js";
import { bodyOf, forward, type Upstream, type UpstreamResponse } from "./upstream.js";

export interface RegistryTwin {
  /** `localhost:PORT`: what image references begin with. */
  readonly host: string;
  readonly url: string;
  /** `METHOD path status`, in the order of the responses. */
  readonly requests: readonly string[];
  readonly stop: () => Promise<void>;
}

/**
 * Starts a front of a real registry that does some things as another one does them.
 * @param target origin of the registry, e.g. `http://localhost:5000`
 */
export async function startTwin(target: string, ...quirks: readonly Quirk[]): Promise<RegistryTwin> {
  const upstream: Upstream = {
    target,
    agent: new Agent({ keepAlive: true }),
    past: new Map(),
    pending: new Set(),
  };
  const requests: string[] = [];
  const pass: Pass = (request) => forward(upstream, request);
  const quirk = combined(quirks);
  const server = createServer((req, res) => {
    const { method = "GET", url: path = "/", headers } = req;
    bodyOf(req)
      .then((body) => quirk({ method, path, headers, body }, pass))
      .then(
        (response) => {
          requests.push(`${method} ${path} ${response.status}`);
          const length = { "content-length": String(response.body.length) };
          res
            .writeHead(response.status, { ...response.headers, ...(method === "HEAD" ? {} : length) })
            .end(method === "HEAD" ? undefined : response.body);
        },
        () => res.destroy(),
      );
  });
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;
  return {
    host: `localhost:${port}`,
    url: `http://localhost:${port}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          upstream.agent.destroy();
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** Serves a registry in memory on loopback, to other processes. */
export function serveMemory(memory: MemoryRegistry, ...quirks: readonly Quirk[]): Promise<RegistryTwin> {
  const pass = passTo(memory, new URL(`http://${memory.host}`));
  return startTwin(`http://${memory.host}`, ...quirks, (request) => pass(request));
}

/** Gives a registry in memory these quirks. */
export function addQuirks(memory: MemoryRegistry, ...quirks: readonly Quirk[]): void {
  const quirk = combined(quirks);
  memory.intercept = async (request) =>
    responseTo(request, await quirk(seen(request), passTo(memory, request.url)));
}

function passTo(memory: MemoryRegistry, base: URL): Pass {
  return async ({ method, path, headers, body }) => {
    const url = new URL(path, base);
    const response = memory.respond({ method, url, headers: headersOf(headers), body });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    };
  };
}

function seen({ method, url, headers, body }: FakeRequest): Parameters<Quirk>[0] {
  return { method, path: `${url.pathname}${url.search}`, headers: Object.fromEntries(headers), body };
}

function responseTo({ method }: FakeRequest, { status, headers, body }: UpstreamResponse): Response {
  return new Response(method === "HEAD" || status === 204 ? null : new Uint8Array(body), {
    status,
    headers: headersOf(headers),
  });
}

function headersOf(headers: UpstreamResponse["headers"]): Headers {
  return new Headers(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    ),
  );
}
