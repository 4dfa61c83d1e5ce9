import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import { digestOf, Registry, type Index } from "../src/index.js";
import { OCI_INDEX } from "../src/media-types.js";
import {
  IMMUTABLE_TAG_REFUSALS,
  rejection,
  fakeRegistry,
  jsonResponse,
  networkError,
  errorResponse,
  type FakeServer,
  streamOf,
} from "@tgo/testing";

const index: Index = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] };
const bytes = new TextEncoder().encode(JSON.stringify(index));
const digest = digestOf(bytes);
const found = (body: string | Uint8Array = bytes, headers: Record<string, string> = {}): Response =>
  new Response(body, { headers: { "content-type": OCI_INDEX, ...headers } });

describe("manifests", () => {
  test("every request accepts all media types", async () => {
    const { registry, requests } = fakeRegistry(() => found());
    await registry.manifest("a/b", "v1");
    await registry.resolve("a/b", "v1");
    for (const { headers } of requests) expect(headers.get("accept")?.split(", ")).toHaveLength(4);
  });

  test("the bytes decide the digest", async () => {
    const { registry } = fakeRegistry(() => found());
    expect((await registry.manifest("a/b", "v1")).descriptor).toEqual({
      mediaType: OCI_INDEX,
      digest,
      size: bytes.length,
    });
  });

  test.each([
    ["the header", "v1", found(bytes, { "docker-content-digest": `sha256:${"0".repeat(64)}` })],
    ["the requested digest", `sha256:${"0".repeat(64)}`, found()],
  ])("bytes that differ from %s are refused", async (_, reference, response) => {
    const { registry } = fakeRegistry(() => response);
    expect(await rejection(registry.manifest("a/b", reference))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: expect.stringContaining(digest) as string,
    });
  });

  test.each([
    ["HTML", "<!doctype html><title>Welcome</title>", "an HTML page"],
    ["nothing", "", "an empty body"],
    [
      "an index and a manifest at once",
      JSON.stringify({ ...index, mediaType: undefined, layers: [] }),
      "at once",
    ],
    ["schema 1", JSON.stringify({ schemaVersion: 1, fsLayers: [] }), "schema 1"],
    [
      "an invalid digest",
      JSON.stringify({ ...index, manifests: [{ mediaType: "x", digest: "sha256:1", size: 1 }] }),
      "not a sha256",
    ],
  ])("%s is not a manifest", async (_, body, why) => {
    const { registry } = fakeRegistry(() => found(body));
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: expect.stringContaining(why) as string,
    });
  });

  test("HEAD without a digest header falls back to GET", async () => {
    const { registry, requests } = fakeRegistry(() => found());
    expect((await registry.resolve("a/b", "v1"))?.digest).toBe(digest);
    expect(requests.map(({ method }) => method)).toEqual(["HEAD", "GET"]);
  });

  test("a 404 because of Accept never means 'not found'", async () => {
    const { registry } = fakeRegistry(() =>
      errorResponse(
        404,
        "MANIFEST_UNKNOWN",
        "OCI index found, but Accept header does not support OCI indexes",
      ),
    );
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({ code: "INTERNAL" });
  });

  test("a manifest that was just pushed is waited for; any other is missing at once", async () => {
    let reads = 0;
    const server: FakeServer = ({ method }) => {
      if (method === "PUT") return new Response(null, { status: 201 });
      return ++reads < 4 ? errorResponse(404, "MANIFEST_UNKNOWN", "manifest unknown") : found();
    };
    const { registry, delays } = fakeRegistry(server);
    await rejection(registry.manifest("a/b", "v1"));
    expect(delays).toEqual([]);
    await registry.putManifest("a/b", "v1", OCI_INDEX, bytes);
    expect((await registry.manifest("a/b", "v1")).descriptor.digest).toBe(digest);
    expect(delays).toEqual([1000, 2000]);
  });

  test.each(Object.entries(IMMUTABLE_TAG_REFUSALS))(
    "a refused push to an immutable tag (%s) with the same digest is success, with another one it is not",
    async (_name, { status, code, message }) => {
      const server =
        (there: Uint8Array): FakeServer =>
        ({ method }) =>
          method === "PUT" ? errorResponse(status, code, message) : found(there);
      await expect(
        fakeRegistry(server(bytes)).registry.putManifest("a/b", "v1", OCI_INDEX, bytes),
      ).resolves.toMatchObject({ digest });
      const other = new TextEncoder().encode(JSON.stringify({ ...index, annotations: { a: "b" } }));
      expect(
        await rejection(fakeRegistry(server(other)).registry.putManifest("a/b", "v1", OCI_INDEX, bytes)),
      ).toMatchObject({
        code: "DENIED",
        remedy: expect.stringContaining("Publish under a new tag.") as string,
      });
    },
  );

  test("a registry that stores different bytes is an error", async () => {
    const { registry } = fakeRegistry(
      () =>
        new Response(null, { status: 201, headers: { "docker-content-digest": `sha256:${"0".repeat(64)}` } }),
    );
    expect(await rejection(registry.putManifest("a/b", "v1", OCI_INDEX, bytes))).toMatchObject({
      code: "INVALID_RESPONSE",
    });
  });
});

describe("retries", () => {
  test("are as many as its options allow, and other options are another registry's", async () => {
    const { registry, requests } = fakeRegistry(() => errorResponse(503, "UNAVAILABLE", "down"));
    await rejection(registry.withRetryOptions({ retries: 1 }).resolve("a/b", "v1"));
    expect(requests).toHaveLength(2);
    await rejection(registry.resolve("a/b", "v1"));
    expect(requests).toHaveLength(7);
  });

  test.each([408, 425, 429, 500, 502, 503, 504, 522])("status %d is retried", async (status) => {
    let left = 2;
    const { registry, delays, retries } = fakeRegistry(() =>
      left-- > 0 ? new Response("", { status }) : found(),
    );
    await registry.manifest("a/b", "v1");
    expect(delays).toHaveLength(2);
    expect(retries.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  test("five attempts, then the registry's own words", async () => {
    const { registry, requests } = fakeRegistry(() =>
      errorResponse(503, "UNAVAILABLE", "service overloaded"),
    );
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "UNAVAILABLE",
      what: expect.stringContaining("service overloaded") as string,
    });
    expect(requests).toHaveLength(5);
  });

  test("the delay doubles from 0.5 s to 30 s under full jitter", async () => {
    const { registry, delays } = fakeRegistry(() => new Response("", { status: 500 }), {
      retries: 8,
      random: () => 0.999999,
    });
    await rejection(registry.manifest("a/b", "v1"));
    expect(delays).toEqual([500, 1000, 2000, 4000]);
  });

  test.each([
    ["seconds", () => "7", 7000],
    ["a date", () => new Date(Date.now() + 60_000).toUTCString(), 59_000],
  ])("Retry-After in %s is honoured", async (_, header, least) => {
    let left = 1;
    const { registry, delays } = fakeRegistry(() =>
      left-- > 0 ? new Response("", { status: 429, headers: { "retry-after": header() } }) : found(),
    );
    await registry.manifest("a/b", "v1");
    expect(delays[0]).toBeGreaterThanOrEqual(least - 1000);
    expect(delays[0]).toBeLessThanOrEqual(60_000);
  });

  test("a server that asks for an hour gets no retry", async () => {
    const { registry, delays } = fakeRegistry(
      () => new Response("", { status: 503, headers: { "retry-after": "3600" } }),
    );
    await rejection(registry.manifest("a/b", "v1"));
    expect(delays).toEqual([]);
  });

  test("no delay exceeds the total time, and the error is the last response", async () => {
    let time = 0;
    const { registry, requests, delays } = fakeRegistry(
      () => new Response("", { status: 503, headers: { "retry-after": "20" } }),
      {
        now: () => time,
        totalMs: 50_000,
        sleep: (milliseconds) => {
          time += milliseconds;
          return Promise.resolve();
        },
      },
    );
    const error = await rejection(registry.manifest("a/b", "v1"));
    expect(error).toMatchObject({
      code: "UNAVAILABLE",
      what: expect.stringMatching(/503.*no time left to retry/) as string,
    });
    expect(delays).toEqual([]);
    expect([requests.length, time]).toEqual([3, 40_000]);
  });

  test("time without a failure (a long build) does not count", async () => {
    let time = 0;
    let left = 1;
    const { registry } = fakeRegistry(() => (left-- > 0 ? new Response("", { status: 503 }) : found()), {
      now: () => time,
      totalMs: 50_000,
    });
    time += 3_600_000;
    expect((await registry.manifest("a/b", "v1")).descriptor.digest).toBe(digest);
  });

  test("a response that breaks off is requested again", async () => {
    let left = 2;
    const broken = (): Response => {
      const half = bytes.subarray(0, 10);
      let sent = false;
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => {
          if (sent) controller.error(networkError("ECONNRESET"));
          else controller.enqueue(half);
          sent = true;
        },
      });
      return new Response(body, { headers: { "content-type": OCI_INDEX } });
    };
    const { registry, retries } = fakeRegistry(() => (left-- > 0 ? broken() : found()));
    expect((await registry.manifest("a/b", "v1")).descriptor.digest).toBe(digest);
    expect(retries.map(({ reason }) => reason)).toEqual(
      Array(2).fill("cannot reach ghcr.io: connection reset"),
    );
  });

  test("reads and writes have limits of their own, so that neither waits for the other", async () => {
    const open: { method: string; done: () => void }[] = [];
    let most = 0;
    const { registry } = fakeRegistry(
      async ({ method }) => {
        await new Promise<void>((done) => open.push({ method, done }));
        return method === "PUT" ? new Response(null, { status: 201 }) : found();
      },
      { concurrency: { reads: 2, writes: 1 } },
    );
    const calls = [
      ...["v1", "v2", "v3", "v4"].map((tag) => registry.putManifest("a/b", tag, OCI_INDEX, bytes)),
      ...["v1", "v2", "v3", "v4"].map((tag) => registry.manifest("a/c", tag)),
    ];
    for (let answered = 0; answered < 8;) {
      await new Promise((resolve) => setImmediate(resolve));
      const reads = open.filter(({ method }) => method === "GET").length;
      const writes = open.filter(({ method }) => method === "PUT").length;
      expect([reads <= 2, writes <= 1]).toEqual([true, true]);
      most = Math.max(most, reads + writes);
      const [first] = open.splice(0, 1);
      if (first === undefined) continue;
      first.done();
      answered += 1;
    }
    await Promise.all(calls);
    expect(most).toBe(3);
  });

  test.each([
    ["a reset connection", "ghcr.io", "ECONNRESET", 5, "cannot reach ghcr.io: connection reset"],
    [
      "a refused connection elsewhere",
      "ghcr.io",
      "ECONNREFUSED",
      5,
      "cannot reach ghcr.io: connection refused",
    ],
    [
      "a refused connection on this machine",
      "localhost:5001",
      "ECONNREFUSED",
      2,
      "cannot reach localhost:5001: connection refused",
    ],
    ["a name that does not resolve", "ghcr.oi", "ENOTFOUND", 2, "cannot reach ghcr.oi: no such host"],
    [
      "a connection that is not answered",
      "ghcr.io",
      "UND_ERR_CONNECT_TIMEOUT",
      3,
      "cannot reach ghcr.io: timed out",
    ],
    [
      "a certificate of nobody we know",
      "ghcr.io",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      1,
      "cannot reach ghcr.io: connect DEPTH_ZERO_SELF_SIGNED_CERT",
    ],
    [
      "plain HTTP where TLS is spoken",
      "10.0.0.1:5000",
      "ERR_SSL_WRONG_VERSION_NUMBER",
      1,
      "cannot reach 10.0.0.1:5000",
    ],
  ])("%s", async (_, host, code, tries, what) => {
    const { registry, requests } = fakeRegistry(() => Promise.reject(networkError(code)), { host });
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "UNAVAILABLE",
      what: expect.stringContaining(what) as string,
      remedy: expect.any(String) as string,
    });
    expect(requests).toHaveLength(tries);
  });

  test.each([
    ["CERT_HAS_EXPIRED", /clock.*renew/],
    ["CERT_NOT_YET_VALID", /clock/],
    ["ERR_TLS_CERT_ALTNAME_INVALID", /another host/],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /NODE_EXTRA_CA_CERTS/],
  ])("the remedy is the certificate's: %s", async (code, remedy) => {
    const { registry } = fakeRegistry(() => Promise.reject(networkError(code)));
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      remedy: expect.stringMatching(remedy) as string,
    });
  });

  test("an error names the address at which the registry is reached", async () => {
    const { registry } = fakeRegistry(() => Promise.reject(networkError("ECONNREFUSED")), {
      host: "localhost:5001",
      url: "http://10.1.2.3:5000",
    });
    expect(await rejection(registry.ping())).toMatchObject({
      what: "cannot reach localhost:5001 (at http://10.1.2.3:5000): connection refused",
    });
  });

  test("a source that is waited for while it is uploaded is not the registry's silence", async () => {
    const data = new TextEncoder().encode("layer");
    let puts = 0;
    const server = createServer((request, response) => {
      if (request.method === "PUT") puts++;
      const status = { HEAD: 404, POST: 202, PUT: 201 }[request.method ?? ""] ?? 500;
      request.resume().on("end", () => {
        response.writeHead(status, { location: "/v2/a/b/blobs/uploads/1" }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const registry = new Registry({ host: `localhost:${port}`, timeoutMs: 900, retries: 0 });
    const open = (): ReadableStream<Uint8Array> =>
      new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 1000));
          controller.enqueue(data);
          controller.close();
        },
      });
    try {
      await registry.putBlob("a/b", { digest: digestOf(data), size: data.length, open });
    } finally {
      server.closeAllConnections();
      server.close();
    }
    expect(puts).toBe(1);
  });

  test("silence ends in an error", async () => {
    const registry = new Registry({
      host: "ghcr.io",
      timeoutMs: 20,
      sleep: () => Promise.resolve(),
      fetch: (_, init) =>
        new Promise((_resolve, reject) => {
          init?.signal?.addEventListener("abort", () => {
            reject(new DOMException("aborted", "AbortError"));
          });
        }),
    });
    expect(await rejection(registry.ping())).toMatchObject({
      code: "UNAVAILABLE",
      what: "cannot reach ghcr.io: no response for 0.02 s",
    });
  });

  test("an interruption ends a delay", async () => {
    const stop = new AbortController();
    const { registry } = fakeRegistry(() => new Response("", { status: 500 }), {
      signal: stop.signal,
      sleep: () => {
        stop.abort();
        return Promise.resolve();
      },
    });
    expect(await rejection(registry.ping())).toMatchObject({ code: "INTERRUPTED" });
  });

  test("an HTML 404 of a front end that is down is retried once", async () => {
    let left = 1;
    const { registry } = fakeRegistry(() =>
      left-- > 0
        ? new Response("<html>404</html>", { status: 404, headers: { "content-type": "text/html" } })
        : found(),
    );
    await expect(registry.manifest("a/b", "v1")).resolves.toBeDefined();
  });
});

describe("blobs", () => {
  const blob = Buffer.alloc(200_000, "0123456789");
  const blobDigest = digestOf(blob);
  const store = "https://store.example/signed?Signature=abc";
  const read = async (stream: Promise<ReadableStream<Uint8Array>>): Promise<Buffer> => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await stream) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const registryThatRedirectsTo =
    (location: string, serve: FakeServer): FakeServer =>
    (request) => {
      if (request.url.hostname === "ghcr.io" && !request.headers.has("authorization"))
        return new Response("", { status: 401, headers: { "www-authenticate": "Basic" } });
      return request.url.hostname === "ghcr.io"
        ? new Response(null, { status: 307, headers: { location } })
        : serve(request);
    };
  const credentials = { username: "u", password: "password" };

  test("the store behind a redirect gets no credentials", async () => {
    const { registry, requests } = fakeRegistry(
      registryThatRedirectsTo(store, () => new Response(blob)),
      { credentials },
    );
    expect((await read(registry.blob("a/b", { digest: blobDigest, size: blob.length }))).equals(blob)).toBe(
      true,
    );
    expect(requests.at(-1)?.url.hostname).toBe("store.example");
    expect(requests.at(-1)?.headers.has("authorization")).toBe(false);
  });

  test("ACR's redirect to plain http is followed for a whole blob, without credentials", async () => {
    const { registry, requests } = fakeRegistry(
      registryThatRedirectsTo(
        "http://aliregistry.oss-cn-shanghai.aliyuncs.com/x?Signature=s",
        () => new Response(blob),
      ),
      { credentials },
    );
    expect((await read(registry.blob("a/b", { digest: blobDigest, size: blob.length }))).equals(blob)).toBe(
      true,
    );
    expect(requests.at(-1)?.headers.has("authorization")).toBe(false);
  });

  test("but not for a part of a blob, which cannot be verified, nor for a manifest", async () => {
    const { registry, requests } = fakeRegistry(
      registryThatRedirectsTo("http://store.example/x", () => new Response(blob)),
      { credentials },
    );
    expect(
      await rejection(registry.blob("a/b", { digest: blobDigest, size: blob.length }, { start: 0, end: 3 })),
    ).toMatchObject({
      code: "INVALID_RESPONSE",
    });
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(requests.every(({ url }) => url.protocol === "https:")).toBe(true);
  });

  test("redirects are limited", async () => {
    const { registry } = fakeRegistry(
      () => new Response(null, { status: 307, headers: { location: "/v2/a/b/again" } }),
    );
    expect(await rejection(registry.blob("a/b", { digest: blobDigest, size: blob.length }))).toMatchObject({
      what: "the registry redirects more than 5 times",
    });
  });

  test("wrong bytes are an error", async () => {
    const { registry } = fakeRegistry(() => new Response("something else"));
    expect(
      await rejection(read(registry.blob("a/b", { digest: blobDigest, size: blob.length }))),
    ).toMatchObject({
      code: "INVALID_RESPONSE",
      what: expect.stringContaining("the blob's bytes have the digest") as string,
    });
  });

  test.each([
    ["resumed by range", true],
    ["read again when ranges are ignored", false],
  ])("a broken connection is %s", async (_, ranges) => {
    let breaks = 2;
    const { registry, requests } = fakeRegistry(({ headers }) => {
      const from = ranges ? Number(/bytes=(\d+)-/.exec(headers.get("range") ?? "")?.[1] ?? 0) : 0;
      const rest = blob.subarray(from);
      const status = from > 0 ? 206 : 200;
      const contentRange: Record<string, string> =
        from > 0 ? { "content-range": `bytes ${from}-${blob.length - 1}/${blob.length}` } : {};
      if (breaks-- <= 0) return new Response(rest, { status, headers: contentRange });
      let sent = false;
      const broken = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent) controller.error(networkError("ECONNRESET"));
          else controller.enqueue(rest.subarray(0, 70_000));
          sent = true;
        },
      });
      return new Response(broken, { status, headers: contentRange });
    });
    expect((await read(registry.blob("a/b", { digest: blobDigest, size: blob.length }))).equals(blob)).toBe(
      true,
    );
    expect(requests.map(({ headers }) => headers.get("range"))).toEqual([
      null,
      "bytes=70000-",
      ranges ? "bytes=140000-" : "bytes=70000-",
    ]);
  });

  test.each([
    ["the whole instead of the range", new Response(blob)],
    ["another range", new Response("x", { status: 206, headers: { "content-range": "bytes 5-5/10" } })],
    ["no range header", new Response("x", { status: 206 })],
  ])("%s is refused", async (_, response) => {
    const { registry } = fakeRegistry(() => response);
    expect(
      await rejection(registry.blob("a/b", { digest: blobDigest, size: blob.length }, { start: 3, end: 6 })),
    ).toMatchObject({
      code: "INVALID_RESPONSE",
    });
  });

  test("an expired signed URL is replaced", async () => {
    let left = 1;
    const { registry } = fakeRegistry(
      registryThatRedirectsTo(store, () =>
        left-- > 0 ? new Response("expired", { status: 403 }) : new Response(blob),
      ),
      { credentials },
    );
    expect((await read(registry.blob("a/b", { digest: blobDigest, size: blob.length }))).length).toBe(
      blob.length,
    );
  });

  test("a redirect of HEAD means that the blob exists, and is not followed", async () => {
    const { registry, requests } = fakeRegistry(
      () => new Response(null, { status: 307, headers: { location: store } }),
    );
    expect(await registry.hasBlob("a/b", blobDigest, { size: 42 })).toBe(42);
    expect(requests).toHaveLength(1);
  });
});

describe("uploads", () => {
  const blob = Buffer.alloc(150_000, "x");
  const upload = { digest: digestOf(blob), size: blob.length, open: () => streamOf(blob) };
  /** Responds to HEAD by `there`, to POST with a session, to PUT by `put`. */
  const accepting =
    (
      put: FakeServer,
      there: () => boolean = () => false,
      location = "/v2/a/b/blobs/upload/1?_state=s%3D",
    ): FakeServer =>
    (request) => {
      if (request.method === "HEAD")
        return there()
          ? new Response(null, { headers: { "content-length": String(blob.length) } })
          : errorResponse(404, "BLOB_UNKNOWN", "x");
      if (request.method === "POST") return new Response(null, { status: 202, headers: { location } });
      return put(request);
    };
  const created = (): Response => new Response(null, { status: 201 });

  test("HEAD, POST, one PUT to the location as given, its query kept", async () => {
    const { registry, requests } = fakeRegistry(accepting(created));
    expect(await registry.putBlob("a/b", upload)).toBe("uploaded");
    expect(requests.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      `HEAD /v2/a/b/blobs/${upload.digest}`,
      "POST /v2/a/b/blobs/uploads/",
      "PUT /v2/a/b/blobs/upload/1",
    ]);
    expect(requests[2]?.url.searchParams.get("_state")).toBe("s=");
    expect(requests[2]?.url.searchParams.get("digest")).toBe(upload.digest);
    expect(requests[2]?.headers.get("content-length")).toBe(String(blob.length));
    expect(requests[2]?.body.length).toBe(blob.length);
  });

  test("a location on the registry's own host is reached like the registry", async () => {
    const { registry, requests } = fakeRegistry(
      accepting(created, undefined, "http://localhost:5003/v2/a/b/blobs/uploads/1"),
      { host: "localhost:5003", url: "http://service:5000" },
    );
    await registry.putBlob("a/b", upload);
    expect(new Set(requests.map(({ url }) => url.host))).toEqual(new Set(["service:5000"]));
  });

  test.each([
    ["http://ghcr.io", "https://registry-internal:5000/v2/a/b/blobs/uploads/1?_state=s", 2],
    // Behind a proxy that speaks TLS for it.
    ["https://ghcr.io", "http://registry-internal:5000/v2/a/b/blobs/uploads/1?_state=s", 1],
  ])("a registry at %s that knows itself as %s only gets the upload", async (url, location, puts) => {
    const server = accepting(created, undefined, location);
    const { registry, requests } = fakeRegistry(
      (request) =>
        request.url.hostname === "registry-internal"
          ? Promise.reject(networkError("ENOTFOUND"))
          : server(request),
      { url },
    );
    expect(await registry.putBlob("a/b", upload)).toBe("uploaded");
    const sent = requests.filter(({ method }) => method === "PUT");
    expect(sent).toHaveLength(puts);
    expect(sent.at(-1)?.url.href).toMatch(`${url}/v2/a/b/blobs/uploads/1?_state=s&digest=`);
    expect(sent.at(-1)?.body.length).toBe(blob.length);
  });

  test("a location on another host gets no credentials, and an unencrypted one no content", async () => {
    const credentials = { username: "u", password: "password" };
    const guarded =
      (server: FakeServer): FakeServer =>
      (request) =>
        request.url.hostname === "ghcr.io" && !request.headers.has("authorization")
          ? new Response("", { status: 401, headers: { "www-authenticate": "Basic" } })
          : server(request);
    const other = fakeRegistry(guarded(accepting(created, undefined, "https://uploads.example/1")), {
      credentials,
    });
    await other.registry.putBlob("a/b", upload);
    expect(other.requests.at(-1)?.headers.has("authorization")).toBe(false);
    const plain = fakeRegistry(guarded(accepting(created, undefined, "http://uploads.example/1")), {
      credentials,
    });
    expect(await rejection(plain.registry.putBlob("a/b", upload))).toMatchObject({
      code: "INVALID_RESPONSE",
    });
    expect(plain.requests.every(({ method }) => method !== "PUT")).toBe(true);
  });

  test.each([
    ["a 502", () => new Response("", { status: 502 })],
    ["a lost session", () => errorResponse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")],
    ["a reset connection", () => Promise.reject(networkError("ECONNRESET"))],
  ])("%s starts a new session with the whole body", async (_, fault) => {
    let left = 1;
    const { registry, requests } = fakeRegistry(accepting(() => (left-- > 0 ? fault() : created())));
    expect(await registry.putBlob("a/b", upload)).toBe("uploaded");
    expect(requests.filter(({ method }) => method === "POST")).toHaveLength(2);
    expect(requests.at(-1)?.body.length).toBe(blob.length);
  });

  test("GHCR: the response to the commit was lost, but not the blob; nothing is sent again", async () => {
    let committed = false;
    const { registry, requests } = fakeRegistry(
      accepting(
        () => {
          committed = true;
          return new Response("", { status: 504 });
        },
        () => committed,
      ),
    );
    expect(await registry.putBlob("a/b", upload)).toBe("uploaded");
    expect(requests.filter(({ method }) => method === "PUT")).toHaveLength(1);
  });

  test("a refusal is not retried", async () => {
    const { registry, requests } = fakeRegistry(
      accepting(() => errorResponse(403, "DENIED", "permission_denied: write_package")),
    );
    expect(await rejection(registry.putBlob("a/b", upload))).toMatchObject({ code: "DENIED" });
    expect(requests.filter(({ method }) => method === "PUT")).toHaveLength(1);
  });

  test("a session opened by a mount is not reused after it failed", async () => {
    let left = 1;
    const { registry, requests } = fakeRegistry(
      accepting(() => (left-- > 0 ? new Response("", { status: 502 }) : created())),
    );
    expect(await registry.putBlob("a/b", { ...upload, mountFrom: ["c/d"] })).toBe("uploaded");
    expect(
      requests.filter(({ method }) => method === "POST").map(({ url }) => url.searchParams.has("mount")),
    ).toEqual([true, false]);
  });

  test("a mount that the registry turns into an upload becomes one", async () => {
    const { registry, requests } = fakeRegistry(accepting(created));
    expect(await registry.putBlob("a/b", { ...upload, mountFrom: ["c/d"] })).toBe("uploaded");
    expect(requests.map(({ method }) => method)).toEqual(["HEAD", "POST", "PUT"]);
    expect(requests[1]?.url.search).toBe(`?mount=${encodeURIComponent(upload.digest)}&from=c%2Fd`);
  });
});

describe("tags", () => {
  const page = (tags: string[] | null, next?: string): Response =>
    jsonResponse(200, { name: "a/b", tags }, next === undefined ? {} : { link: `<${next}>; rel="next"` });

  test("all pages are read", async () => {
    const { registry, requests } = fakeRegistry(({ url }) =>
      url.searchParams.has("last") ? page(["c"]) : page(["a", "b"], "/v2/a/b/tags/list?n=2&last=b"),
    );
    expect(await registry.tags("a/b")).toEqual(["a", "b", "c"]);
    expect(requests).toHaveLength(2);
  });

  test("a list that repeats itself ends", async () => {
    const { registry } = fakeRegistry(({ url }) =>
      page(
        [url.searchParams.get("last") ?? "a"],
        url.searchParams.get("last") === "b" ? "/v2/a/b/tags/list?last=c" : "/v2/a/b/tags/list?last=b",
      ),
    );
    expect(await registry.tags("a/b")).toEqual(["a", "b", "c"]);
  });

  test("a list that continues on another host is not followed", async () => {
    const { registry, requests } = fakeRegistry(() => page(["a"], "https://evil.example/v2/other/tags/list"));
    expect(await rejection(registry.tags("a/b"))).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(requests).toHaveLength(1);
  });

  test("a registry that names its own list by a name of its own network is asked for the next page", async () => {
    const { registry, requests } = fakeRegistry(({ url }) =>
      url.searchParams.has("last")
        ? page(["b"])
        : page(["a"], "http://registry-internal:5000/v2/a/b/tags/list?n=1&last=a"),
    );
    expect(await registry.tags("a/b")).toEqual(["a", "b"]);
    expect(requests.map(({ url }) => url.href)).toEqual([
      "https://ghcr.io/v2/a/b/tags/list?n=1000",
      "https://ghcr.io/v2/a/b/tags/list?n=1&last=a",
    ]);
  });

  test.each([
    ["without a text", () => new Response("", { status: 404 }), []],
    ["with an error", () => errorResponse(404, "NAME_UNKNOWN", "no such repository"), []],
    [
      "from a web server",
      () => new Response("", { status: 404, headers: { "content-type": "text/html" } }),
      "INVALID_RESPONSE",
    ],
    ["with another error", () => errorResponse(404, "UNSUPPORTED", "no lists"), "NOT_FOUND"],
  ] as const)("a repository that does not exist: 404 %s", async (_, answer, expected) => {
    const { registry } = fakeRegistry(answer);
    const tags = registry.tags("a/b");
    if (typeof expected === "string") expect(await rejection(tags)).toMatchObject({ code: expected });
    else expect(await tags).toEqual(expected);
  });

  test("a registry that refuses our page size gets a request without one", async () => {
    const { registry } = fakeRegistry(({ url }) =>
      url.searchParams.has("n") ? errorResponse(400, "PAGINATION_NUMBER_INVALID", "x") : page(["a"]),
    );
    expect(await registry.tags("a/b")).toEqual(["a"]);
  });

  test("no tags at all", async () => {
    expect(await fakeRegistry(() => page(null)).registry.tags("a/b")).toEqual([]);
  });
});

describe("how a registry is reached", () => {
  test.each([
    ["ghcr.io", undefined, "https://ghcr.io"],
    ["docker.io", undefined, "https://registry-1.docker.io"],
    ["index.docker.io", undefined, "https://registry-1.docker.io"],
    ["localhost:5001", undefined, "http://localhost:5001"],
    ["127.0.0.1:5001", undefined, "http://127.0.0.1:5001"],
    ["[::1]:5001", undefined, "http://[::1]:5001"],
    ["localhost:5001", "http://registry:5000", "http://registry:5000"],
  ])("%s", (host, url, reached) => {
    expect(new Registry({ host, ...(url === undefined ? {} : { url }) }).url).toBe(reached);
  });

  test.each([["https://ghcr.io"], ["ghcr.io/a"], [""], ["a b"]])("%s is not a host", (host) => {
    expect(() => new Registry({ host })).toThrow("is not a registry host");
  });

  test("a URL with a password is refused, and not quoted", async () => {
    const error = await rejection(
      Promise.resolve().then(() => new Registry({ host: "x.io", url: "https://u:secret@x.io" })),
    );
    expect(error).toMatchObject({ code: "USAGE" });
    expect(error.message).not.toContain("secret");
  });

  test("a web server is not a registry", async () => {
    const { registry } = fakeRegistry(
      () => new Response("<html>Hello</html>", { headers: { "content-type": "text/html" } }),
    );
    expect(await rejection(registry.ping())).toMatchObject({
      code: "INVALID_RESPONSE",
      what: expect.stringContaining("https://ghcr.io is not a container registry") as string,
    });
  });
});
