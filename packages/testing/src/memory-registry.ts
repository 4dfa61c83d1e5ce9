import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { digestOf, Registry, type RegistryOptions } from "@tgo/registry";
import { errorResponse, fakeFetch, jsonResponse, type FakeRequest } from "./fake-registry.js";

export interface MemoryRegistryOptions {
  /** The delay of every response, in milliseconds. */
  readonly delayMs?: number;
  /** Bearer, with a token endpoint; "private" refuses anonymous pulls. Default "none". */
  readonly auth?: "none" | "public" | "private";
}

/** A registry in memory, for what a real one cannot show: counted requests, delays, lost content. */
export class MemoryRegistry {
  readonly blobs = new Map<string, Uint8Array>();
  /** By `repository digest`, and by `repository tag`. */
  readonly manifests = new Map<string, { mediaType: string; bytes: Uint8Array }>();
  readonly received: FakeRequest[] = [];
  /** Responds in place of the registry when it returns something. */
  intercept: (request: FakeRequest) => Response | undefined | Promise<Response | undefined> = () => undefined;
  /** Called before every manifest is stored. */
  onPut: (repository: string, reference: string, digest: string) => void = () => undefined;
  readonly fetch: typeof fetch;
  readonly #o: MemoryRegistryOptions;

  constructor(
    readonly host: string,
    options: MemoryRegistryOptions = {},
  ) {
    this.#o = options;
    const { fetch, requests } = fakeFetch(async (request) => {
      // A timer of 0 ms takes a millisecond, and releases make hundreds of requests.
      await (this.#o.delayMs ? sleep(this.#o.delayMs) : nextTurn());
      return (await this.intercept(request)) ?? this.respond(request);
    });
    this.fetch = fetch;
    this.received = requests;
  }

  client(options: Partial<RegistryOptions> = {}): Registry {
    return this.#client({ credentials: { username: "u", password: "password" }, ...options });
  }

  anonymous(): Registry {
    return this.#client({});
  }

  #client(options: Partial<RegistryOptions>): Registry {
    return new Registry({
      host: this.host,
      fetch: this.fetch,
      sleep: () => Promise.resolve(),
      random: () => 0,
      ...options,
    });
  }

  /** `METHOD path`, without the token and challenge traffic. */
  requests(method?: string): string[] {
    return this.received
      .filter(
        ({ url, headers }) =>
          url.pathname !== "/token" && (this.#auth === "none" || headers.has("authorization")),
      )
      .filter((request) => method === undefined || request.method === method)
      .map((request) => `${request.method} ${request.url.pathname}`);
  }

  get #auth(): "none" | "public" | "private" {
    return this.#o.auth ?? "none";
  }

  /** The digest under a tag. */
  digestAt(repository: string, tag: string): string | undefined {
    const found = this.manifests.get(`${repository} ${tag}`);
    return found === undefined ? undefined : digestOf(found.bytes);
  }

  /** The registry's own response, whatever `intercept` does. */
  respond(request: FakeRequest): Response {
    const { method, url, headers, body } = request;
    if (url.pathname === "/token")
      return jsonResponse(200, { token: headers.has("authorization") ? "full" : "anonymous" });
    if (this.#auth !== "none") {
      const sent = headers.get("authorization");
      if (sent === null || (sent === "Bearer anonymous" && this.#auth === "private")) {
        return errorResponse(401, "UNAUTHORIZED", "authentication required", {
          "www-authenticate": `Bearer realm="https://${this.host}/token",service="s"`,
        });
      }
    }
    if (url.pathname === "/v2/") return jsonResponse(200, {});
    const repositoryOfTags = /^\/v2\/(.+)\/tags\/list$/.exec(url.pathname)?.[1];
    if (repositoryOfTags !== undefined) return this.#tags(repositoryOfTags);
    const [, repository = "", kind, name = ""] =
      /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    if (kind === "manifests") return this.#manifest(method, repository, name, headers, body);
    if (method === "POST") {
      const mount = url.searchParams.get("mount");
      if (mount !== null && this.blobs.has(`${url.searchParams.get("from") ?? ""} ${mount}`)) {
        this.blobs.set(
          `${repository} ${mount}`,
          this.blobs.get(`${url.searchParams.get("from") ?? ""} ${mount}`) ?? new Uint8Array(),
        );
        return new Response(null, { status: 201 });
      }
      return new Response(null, { status: 202, headers: { location: `/v2/${repository}/blobs/upload/1` } });
    }
    if (method === "PUT") {
      this.blobs.set(`${repository} ${url.searchParams.get("digest") ?? ""}`, body);
      return new Response(null, { status: 201 });
    }
    const blob = this.blobs.get(`${repository} ${name}`);
    if (blob === undefined) return errorResponse(404, "BLOB_UNKNOWN", "blob unknown to registry");
    return new Response(method === "HEAD" ? null : blob, {
      headers: { "content-length": String(blob.length) },
    });
  }

  #tags(repository: string): Response {
    const tags = [...this.manifests.keys()]
      .filter((key) => key.startsWith(`${repository} `) && !key.includes(" sha256:"))
      .map((key) => key.slice(repository.length + 1));
    return tags.length === 0
      ? errorResponse(404, "NAME_UNKNOWN", "repository name not known to registry")
      : jsonResponse(200, { tags });
  }

  #manifest(method: string, repository: string, name: string, headers: Headers, bytes: Buffer): Response {
    if (method === "PUT") {
      if (name.startsWith("sha256:") && name !== digestOf(bytes))
        return errorResponse(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
      this.onPut(repository, name, digestOf(bytes));
      const entry = { mediaType: headers.get("content-type") ?? "", bytes };
      this.manifests.set(`${repository} ${name}`, entry).set(`${repository} ${digestOf(bytes)}`, entry);
      return new Response(null, { status: 201 });
    }
    if (method === "DELETE") {
      for (const [key, { bytes: stored }] of this.manifests)
        if (key.startsWith(`${repository} `) && digestOf(stored) === name) this.manifests.delete(key);
      return new Response(null, { status: 202 });
    }
    const found = this.manifests.get(`${repository} ${name}`);
    if (found === undefined) return errorResponse(404, "MANIFEST_UNKNOWN", "manifest unknown");
    return new Response(method === "HEAD" ? null : found.bytes, {
      headers: {
        "content-type": found.mediaType,
        "content-length": String(found.bytes.length),
        "docker-content-digest": digestOf(found.bytes),
      },
    });
  }
}
