import { createHash } from "node:crypto";
import { request, type Agent, type IncomingMessage } from "node:http";

export interface Upstream {
  /** Origin of the registry. */
  readonly target: string;
  readonly agent: Agent;
  /** Responses for manifests before their last write, by path. */
  readonly past: Map<string, UpstreamResponse>;
  /** Requests that the registry has not answered yet, whether or not their client still waits. */
  readonly pending: Set<Promise<UpstreamResponse>>;
}

export interface UpstreamRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface UpstreamResponse {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** The Host header stays the client's, so that the registry's Location headers name the proxy. */
export async function forward(upstream: Upstream, request: UpstreamRequest): Promise<UpstreamResponse> {
  const response = send(upstream, request);
  upstream.pending.add(response);
  try {
    return await response;
  } finally {
    upstream.pending.delete(response);
  }
}

function send(
  { target, agent }: Upstream,
  { method, path, headers, body }: UpstreamRequest,
): Promise<UpstreamResponse> {
  const kept: IncomingMessage["headers"] = { ...headers };
  delete kept.connection;
  delete kept["transfer-encoding"];
  if (body.length > 0 || method === "PUT" || method === "POST") kept["content-length"] = String(body.length);
  return new Promise((resolve, reject) => {
    const outgoing = request(new URL(path, target), { method, headers: kept, agent }, (response) => {
      bodyOf(response).then((bytes) => {
        const back = { ...response.headers };
        delete back.connection;
        delete back["keep-alive"];
        resolve({ status: response.statusCode ?? 502, headers: back, body: bytes });
      }, reject);
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

export const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

/** Saves the current manifest under a name: what a lagging registry will return after the next write. */
export async function remember(upstream: Upstream, req: IncomingMessage): Promise<void> {
  const { authorization, host } = req.headers;
  const headers = { host, accept: MANIFEST_TYPES, ...(authorization === undefined ? {} : { authorization }) };
  const path = req.url ?? "/";
  upstream.past.set(path, await forward(upstream, { method: "GET", path, headers, body: Buffer.alloc(0) }));
}

/** The same manifest in different bytes, under their digest. */
export function rewritten(original: UpstreamRequest): UpstreamRequest {
  // Another indentation is another digest.
  const body = Buffer.from(JSON.stringify(JSON.parse(original.body.toString()), null, 7));
  return { ...original, body, path: original.path.replace(/sha256:[0-9a-f]{64}$/, digestOf(body)) };
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Whether a path names a manifest by its tag: under a digest, nothing exists before the write. */
export function isTagged(path: string | undefined): boolean {
  return /^\/v2\/.+\/manifests\/(?!sha256:)[^/]+$/.test(path ?? "");
}

export async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
