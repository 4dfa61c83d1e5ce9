import { TgoError } from "@tgo/errors";
import type { Credentials } from "../auth/credentials.js";
import type { Scope } from "../auth/scope.js";
import { Authorizer } from "../auth/authorizer.js";
import { isDigest } from "../digest.js";
import { isLoopback } from "../loopback.js";
import { assertNames, formatReference, isHost } from "../reference.js";
import type { RegistryRequest } from "./request.js";
import { ResponseRedactor } from "./redact.js";
import type { RegistryResponse } from "./response.js";
import type { Retry } from "./retry.js";
import { defaultSleep, Transport } from "./transport.js";

export interface ConnectionOptions {
  /** The registry as references name it: "ghcr.io", "docker.io", "localhost:5001". */
  readonly host: string;
  /** How to reach it: an origin. Default: https and the host (http on this machine; Docker Hub's API host). */
  readonly url?: string;
  readonly credentials?: Credentials;
  readonly fetch?: typeof fetch;
  readonly sleep?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** In [0, 1); for the jitter. */
  readonly random?: () => number;
  /** Milliseconds since 1970; for the lifetime of tokens. */
  readonly now?: () => number;
  readonly signal?: AbortSignal;
  /** The longest silence, in milliseconds. Default 60 000. */
  readonly timeoutMs?: number;
  /** Retries after the first attempt, at most 4. Default 4. */
  readonly retries?: number;
  readonly onRetry?: (retry: Retry) => void;
  /** Time budget for failed attempts and waits, in milliseconds. Default 30 minutes. */
  readonly totalMs?: number;
  /** Concurrent requests, reads and writes counted separately. Default 16 and 4. */
  readonly concurrency?: { readonly reads: number; readonly writes: number };
}

/** A request within a repository. */
export interface RepositoryRequest extends Omit<RegistryRequest, "url" | "where"> {
  readonly repository: string;
  /** Below the repository: "manifests/v1". */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** The tag or digest that the request is about. */
  readonly reference?: string;
}

const MAX_REDIRECTS = 5;

/** Authorized requests to one registry, redirects included, however it is reached. */
export class Connection {
  readonly host: string;
  readonly origin: URL;
  readonly transport: Transport;
  readonly anonymous: boolean;
  readonly #authorizer: Authorizer;

  constructor(o: ConnectionOptions) {
    if (!isHost(o.host)) {
      throw new TgoError("USAGE", `"${o.host}" is not a registry host`, {
        remedy: 'Write it as in an image reference, without a scheme: "ghcr.io", "localhost:5001".',
      });
    }
    this.host = o.host === "index.docker.io" ? "docker.io" : o.host;
    this.origin = originOf(this.host, o.url);
    this.anonymous = o.credentials === undefined;
    const redactor = new ResponseRedactor();
    const now = o.now ?? Date.now;
    if (o.credentials !== undefined) {
      if ("identityToken" in o.credentials) redactor.add(o.credentials.identityToken);
      else {
        redactor.add(o.credentials.password);
        redactor.add(`${o.credentials.username}:${o.credentials.password}`);
      }
    }
    this.transport = new Transport({
      host: this.host,
      // Called as a plain function: the global fetch must not see another `this`.
      fetch: o.fetch ?? ((input, init) => fetch(input, init)),
      sleep: o.sleep ?? defaultSleep,
      random: o.random ?? Math.random,
      signal: o.signal,
      timeoutMs: o.timeoutMs ?? 60_000,
      retries: o.retries ?? 4,
      onRetry: o.onRetry,
      now,
      totalMs: o.totalMs ?? 30 * 60_000,
      concurrency: o.concurrency ?? { reads: 16, writes: 4 },
      redactor,
      identity: this.anonymous ? "anonymous" : "credentials",
    });
    this.#authorizer = new Authorizer({
      host: this.host,
      credentials: o.credentials,
      transport: this.transport,
      reach: (url) => this.reach(url),
      origin: this.origin,
      redactor,
      now,
    });
  }

  /**
   * A request below `/v2/<repository>/`.
   * @throws TgoError USAGE for a malformed name: it never reaches the wire.
   */
  call({ repository, path, query = {}, reference, ...rest }: RepositoryRequest): RegistryRequest {
    assertNames(this.host, repository, reference);
    const url = new URL(`/v2/${repository}/${path}`, this.origin);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return { ...rest, url, where: this.where(repository, reference) };
  }

  /** A repository, tag or digest as messages name it. */
  where(repository: string, reference?: string): string {
    if (reference === undefined) return `${this.host}/${repository}`;
    return formatReference({
      host: this.host,
      repository,
      ...(isDigest(reference) ? { digest: reference } : { tag: reference }),
    });
  }

  /**
   * A URL that the registry named, as it is reached from here. A registry behind a service endpoint or a TLS
   * proxy still uses its own host in its URLs.
   */
  reach(url: URL): URL {
    if (url.host !== hostOf(this.host) && url.host !== hostOf(apiHost(this.host))) return url;
    return this.#here(url);
  }

  /**
   * One authorized request, repeated with a fresh token after a refusal: twice if the first refusal only asked for the
   * login, because some registries refuse a token in the moment after they gave it.
   */
  async send(call: RegistryRequest, scopes: readonly Scope[]): Promise<RegistryResponse> {
    if (call.url.origin !== this.origin.origin) return this.transport.send(call);
    let sent = await this.#authorizer.header(scopes);
    let response = await this.transport.send(authorized(call, sent));
    for (let left = sent === undefined && !this.anonymous ? 2 : 1; left > 0; left--) {
      if (!(await this.#refused(response, sent))) break;
      const fresh = await this.#authorizer.renew(response, scopes, sent);
      if (fresh === undefined) break;
      await response.discard();
      sent = fresh;
      response = await this.transport.send(authorized(call, sent));
    }
    return response;
  }

  /**
   * As {@link send}, following redirects. Another host gets no credentials; an unencrypted one is refused,
   * unless the caller verifies the digest of the content (`plainStore`: Aliyun's blob store is on http).
   */
  async follow(
    request: RegistryRequest,
    scopes: readonly Scope[],
    { plainStore = false } = {},
  ): Promise<RegistryResponse> {
    const call = { ...request, idle: request.idle ?? this.transport.idleTimeout() };
    let response = await this.send(call, scopes);
    for (let hops = 0; isRedirect(response); hops++) {
      const from = response.call.url;
      const url = this.location(response, call.where);
      await response.discard();
      if (hops === MAX_REDIRECTS) {
        throw new TgoError("INVALID_RESPONSE", `the registry redirects more than ${MAX_REDIRECTS} times`, {
          where: call.where,
        });
      }
      const downgrade = from.protocol === "https:" && url.protocol === "http:";
      if (downgrade && !plainStore) {
        throw new TgoError(
          "INVALID_RESPONSE",
          `the registry redirects to ${url.origin}, which is not encrypted`,
          {
            where: call.where,
            remedy: "Such a redirect is followed only for whole blobs, whose digest is verified.",
          },
        );
      }
      const next = { ...call, url };
      // A redirect to the registry itself keeps the credentials; they go nowhere else.
      response =
        url.origin === this.origin.origin ? await this.send(next, scopes) : await this.transport.send(next);
    }
    return response;
  }

  /** The `Location` of a response, resolved and reachable. @throws TgoError INVALID_RESPONSE */
  location(response: RegistryResponse, where: string): URL {
    const text = response.headers.get("location") ?? "";
    const url =
      text !== "" && URL.canParse(text, response.call.url.href)
        ? new URL(text, response.call.url)
        : undefined;
    if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
      throw new TgoError("INVALID_RESPONSE", "the registry sent a redirect without a usable Location", {
        where,
      });
    }
    return this.reach(url);
  }

  /** The registry's own URL for one that it named on another host, if the path is its API's. */
  onOrigin(url: URL): URL | undefined {
    if (url.origin === this.origin.origin || !url.pathname.startsWith("/v2/")) return undefined;
    return this.#here(url);
  }

  /** The same path and query at the registry itself. A path that begins with two slashes stays one. */
  #here({ pathname, search }: URL): URL {
    return Object.assign(new URL(this.origin), { pathname, search });
  }

  async #refused(response: RegistryResponse, sent: string | undefined): Promise<boolean> {
    if (response.status === 401) return true;
    // GHCR refuses an expired token with 403 and no challenge.
    if (response.status !== 403 || sent === undefined || response.headers.has("www-authenticate"))
      return false;
    return /invalid token/i.test(await response.text());
  }
}

function authorized(call: RegistryRequest, authorization: string | undefined): RegistryRequest {
  return authorization === undefined ? call : { ...call, headers: { ...call.headers, authorization } };
}

export function isRedirect({ status }: RegistryResponse): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

/** Docker Hub's name in references is not its API host. */
function apiHost(host: string): string {
  return host === "docker.io" ? "registry-1.docker.io" : host;
}

/** As WHATWG URLs write it: lower case, without the default port. */
function hostOf(host: string): string {
  return new URL(`https://${host}`).host;
}

function originOf(host: string, url: string | undefined): URL {
  const api = apiHost(host);
  const plain = isLoopback(new URL(`http://${api}`).hostname);
  const text = url ?? `${plain ? "http" : "https"}://${api}`;
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin =
    parsed !== undefined &&
    /^https?:$/.test(parsed.protocol) &&
    parsed.pathname === "/" &&
    parsed.search === "";
  if (!isOrigin || parsed.username !== "" || parsed.password !== "") {
    throw new TgoError("USAGE", "the registry's URL is not an http(s) origin", {
      where: host,
      remedy: 'Write it as "http://localhost:5001": scheme, host and port, no user, no path.',
    });
  }
  return parsed;
}
