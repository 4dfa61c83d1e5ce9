import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { Registry } from "../src/index.js";
import {
  rejection,
  fakeRegistry,
  jsonResponse,
  errorResponse,
  type FakeRequest,
  type FakeServer,
} from "@tgo/testing";

const DIGEST = `sha256:${"a".repeat(64)}`;
const GHCR_CHALLENGE =
  'Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:user/image:pull"';
const credentials = { username: "someone", password: "hunter2-hunter2" };
const found = (): Response =>
  new Response(null, {
    headers: {
      "docker-content-digest": DIGEST,
      "content-type": "application/vnd.oci.image.index.v1+json",
      "content-length": "100",
    },
  });

/** A registry with Bearer auth; `valid` decides which tokens it accepts. */
function bearer({
  token = () => jsonResponse(200, { token: "t1" }),
  valid = () => true,
  challenge = GHCR_CHALLENGE,
}: {
  token?: (request: FakeRequest, count: number) => Response | Promise<Response>;
  valid?: (token: string) => boolean;
  challenge?: string;
} = {}): FakeServer {
  let tokens = 0;
  return (request) => {
    if (request.url.pathname === "/token" || request.url.pathname === "/auth")
      return token(request, ++tokens);
    const sent = /^Bearer (.*)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (sent === undefined || !valid(sent))
      return errorResponse(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge });
    return found();
  };
}

const tokenCalls = (requests: readonly FakeRequest[]): FakeRequest[] =>
  requests.filter(({ url }) => url.pathname === "/token" || url.pathname === "/auth");
const resolve = (registry: Registry, repository = "a/b"): Promise<unknown> =>
  registry.resolve(repository, "v1");

describe("Bearer", () => {
  test("an anonymous token is requested for the actual repository, not for the challenge's placeholder", async () => {
    const { registry, requests } = fakeRegistry(bearer());
    await resolve(registry);
    expect(tokenCalls(requests).map(({ url, headers }) => [url.href, headers.get("authorization")])).toEqual([
      ["https://ghcr.io/token?service=ghcr.io&scope=repository%3Aa%2Fb%3Apull", null],
    ]);
  });

  test("credentials go to the realm as Basic, and the token to the registry", async () => {
    const { registry, requests } = fakeRegistry(bearer(), { credentials });
    await resolve(registry);
    expect(tokenCalls(requests)[0]?.headers.get("authorization")).toBe(
      `Basic ${Buffer.from("someone:hunter2-hunter2").toString("base64")}`,
    );
    expect(requests.at(-1)?.headers.get("authorization")).toBe("Bearer t1");
  });

  test("an identity token is exchanged by POST, and never sent in a URL", async () => {
    const { registry, requests } = fakeRegistry(
      bearer({ token: () => jsonResponse(200, { access_token: "t1" }) }),
      {
        credentials: { identityToken: "refresh-me" },
      },
    );
    await resolve(registry);
    const [call] = tokenCalls(requests);
    expect(call?.method).toBe("POST");
    expect(Object.fromEntries(new URLSearchParams(call?.body.toString()))).toEqual({
      grant_type: "refresh_token",
      client_id: "tgo",
      service: "ghcr.io",
      scope: "repository:a/b:pull",
      refresh_token: "refresh-me",
    });
    expect(call?.url.search).toBe("");
  });

  test("JSON with the content type text/plain is read (GHCR)", async () => {
    const { registry } = fakeRegistry(
      bearer({ token: () => new Response('{"token":"t1"}', { headers: { "content-type": "text/plain" } }) }),
    );
    await expect(resolve(registry)).resolves.toMatchObject({ digest: DIGEST });
  });

  test("concurrent requests share one token, and another repository gets its own", async () => {
    const { registry, requests } = fakeRegistry(bearer());
    await Promise.all(Array.from({ length: 8 }, () => resolve(registry)));
    await resolve(registry, "c/d");
    expect(tokenCalls(requests)).toHaveLength(2);
  });

  test("a token to push also reads: no second token", async () => {
    const { registry, requests } = fakeRegistry(bearer());
    await registry.resolve("a/b", "v1", { push: true });
    await resolve(registry);
    expect(tokenCalls(requests).map(({ url }) => url.searchParams.get("scope"))).toEqual([
      "repository:a/b:pull,push",
    ]);
  });

  test.each([
    ["60 s by default", undefined, 40_000, 50_000],
    ["60 s when less is given", 5, 40_000, 50_000],
    ["Docker Hub's 300 s", 300, 260_000, 280_000],
  ])("a token lives %s, and is renewed before it expires", async (_, expires, still, over) => {
    let now = 0;
    const { registry, requests } = fakeRegistry(
      bearer({ token: () => jsonResponse(200, { token: "t1", expires_in: expires }) }),
      { now: () => now },
    );
    await resolve(registry);
    now = still;
    await resolve(registry);
    expect(tokenCalls(requests)).toHaveLength(1);
    now = over;
    await resolve(registry);
    expect(tokenCalls(requests)).toHaveLength(2);
  });

  test("a token refused in the middle of a push is replaced, and the request repeated", async () => {
    let live = "t1";
    const { registry, requests } = fakeRegistry(
      bearer({ token: () => jsonResponse(200, { token: live }), valid: (token) => token === live }),
    );
    await resolve(registry);
    live = "t2";
    await expect(resolve(registry)).resolves.toMatchObject({ digest: DIGEST });
    expect(tokenCalls(requests)).toHaveLength(2);
  });

  test("a token that grants nothing (Docker Hub) fails after one more attempt", async () => {
    const { registry, requests } = fakeRegistry(bearer({ valid: () => false }));
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "UNAUTHORIZED",
      what: "the registry requires credentials",
    });
    expect(tokenCalls(requests)).toHaveLength(1);
  });

  test.each([401, 403])(
    "a login server that refuses (%d) once what it granted before is asked again, and not a third time",
    async (status) => {
      let refusals = 0;
      const token = (): Response =>
        refusals-- > 0 ? errorResponse(status, "DENIED", "denied") : jsonResponse(200, { token: "t1" });
      const { registry, requests, delays } = fakeRegistry(bearer({ token }), { credentials });
      await resolve(registry);
      refusals = 1;
      await expect(resolve(registry, "c/d")).resolves.toMatchObject({ digest: DIGEST });
      expect(delays).toHaveLength(1);
      refusals = 9;
      const before = tokenCalls(requests).length;
      await rejection(resolve(registry, "e/f"));
      expect(tokenCalls(requests)).toHaveLength(before + 2);
    },
  );

  test("a login server that never granted anything is asked once", async () => {
    const token = (): Response => errorResponse(403, "DENIED", "denied");
    const { registry, requests } = fakeRegistry(bearer({ token }), { credentials });
    await rejection(resolve(registry));
    expect(tokenCalls(requests)).toHaveLength(1);
  });

  test("a registry that refuses a token in the moment after it was given gets another one, once", async () => {
    let tokens = 0;
    const token = (): Response => jsonResponse(200, { token: `t${++tokens}` });
    const refusing = (last: number): FakeServer =>
      bearer({ token, valid: (sent) => Number(sent.slice(1)) > last });
    await expect(resolve(fakeRegistry(refusing(1), { credentials }).registry)).resolves.toMatchObject({
      digest: DIGEST,
    });
    tokens = 0;
    const { registry, requests } = fakeRegistry(refusing(9), { credentials });
    await rejection(registry.manifest("a/b", "v1"));
    expect(tokenCalls(requests)).toHaveLength(2);
  });

  test("GHCR's 403 'invalid token' without a challenge gets a new token once", async () => {
    let live = "t1";
    const server = bearer({ token: () => jsonResponse(200, { token: live }), valid: () => true });
    const { registry } = fakeRegistry((request) => {
      const sent = request.headers.get("authorization");
      if (sent !== null && sent !== `Bearer ${live}`) return errorResponse(403, "DENIED", "invalid token");
      return server(request);
    });
    await registry.tags("a/b").catch(() => undefined);
    live = "t2";
    const error = await rejection(registry.tags("a/b"));
    // The fake has no tag list; reaching it shows that the new token was used.
    expect(error.message).toContain("expected a list of tags");
  });

  test("a mount requests both scopes in one token", async () => {
    const { registry, requests } = fakeRegistry(async (request) =>
      request.method === "POST" && request.headers.has("authorization")
        ? new Response(null, { status: 201 })
        : bearer()(request),
    );
    expect(await registry.mountBlob("a/b", DIGEST, "c/d")).toBe(true);
    expect(tokenCalls(requests)[0]?.url.searchParams.getAll("scope")).toEqual([
      "repository:a/b:pull,push",
      "repository:c/d:pull",
    ]);
  });

  test("a refused mount is not a failure: the blob can still be uploaded", async () => {
    const { registry } = fakeRegistry(
      bearer({ token: () => errorResponse(403, "DENIED", "requested access to the resource is denied") }),
    );
    expect(await registry.mountBlob("a/b", DIGEST, "c/d")).toBe(false);
  });

  test("additional actions in the challenge for the same repository are requested", async () => {
    const { registry, requests } = fakeRegistry(
      bearer({
        challenge:
          'Bearer realm="https://ghcr.io/token",scope="repository:a/b:pull,meta repository:x/y:push"',
      }),
    );
    await resolve(registry);
    await resolve(registry);
    expect(tokenCalls(requests).map(({ url }) => url.searchParams.getAll("scope"))).toEqual([
      ["repository:a/b:pull,meta"],
    ]);
  });

  test("the realm may be on any host; ACR's is in another region", async () => {
    const realm = "https://dockerauth.cn-hangzhou.aliyuncs.com/auth";
    const { registry, requests } = fakeRegistry(
      bearer({ challenge: `Bearer realm="${realm}",service="registry.aliyuncs.com:cn-shanghai:26842"` }),
      { host: "registry.cn-shanghai.aliyuncs.com" },
    );
    await resolve(registry);
    expect(tokenCalls(requests)[0]?.url.origin).toBe("https://dockerauth.cn-hangzhou.aliyuncs.com");
  });

  test("a realm that names the registry's own host is reached as the registry is", async () => {
    const { registry, requests } = fakeRegistry(
      bearer({ challenge: 'Bearer realm="http://localhost:5003/token",service="s"' }),
      { host: "localhost:5003", url: "http://registry-service:5000" },
    );
    await resolve(registry);
    expect(requests.map(({ url }) => url.host)).toEqual([
      "registry-service:5000",
      "registry-service:5000",
      "registry-service:5000",
    ]);
  });

  test("credentials are not sent to an unencrypted realm of an encrypted registry", async () => {
    const { registry, requests } = fakeRegistry(
      bearer({ challenge: 'Bearer realm="http://evil.example/token"' }),
      { credentials },
    );
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: "the registry wants the login at http://evil.example, which is not encrypted",
    });
    expect(requests.every(({ url }) => url.host === "ghcr.io")).toBe(true);
  });

  test.each([
    ["a file", "file:///etc/passwd"],
    ["a user and a password", "https://a:pa55word@ghcr.io/token"],
    ["more than an address needs", `https://ghcr.io/token?${"a=b&".repeat(600)}`],
  ])("a realm of %s is no login server", async (_, realm) => {
    const challenge = `Bearer realm="${realm}"`;
    const { registry, requests } = fakeRegistry(bearer({ challenge }), { credentials });
    const error = await rejection(registry.manifest("a/b", "v1"));
    expect(error).toMatchObject({
      code: "INVALID_RESPONSE",
      what: expect.stringContaining("the registry names no usable login server") as string,
    });
    expect(error.message).not.toContain("pa55word");
    expect(error.message.length).toBeLessThan(300);
    expect(requests).toHaveLength(1);
  });

  test.each([
    ["HTML", () => new Response("<html>login</html>", { headers: { "content-type": "text/html" } })],
    ["JSON without a token", () => jsonResponse(200, {})],
    ["a token with a line break", () => jsonResponse(200, { token: "a\nb" })],
  ])("a token response that is %s is an error", async (_, token) => {
    const { registry } = fakeRegistry(bearer({ token }));
    expect(await rejection(resolve(registry))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: "the login server of ghcr.io sent no token",
    });
  });

  test("the token server's 503 is waited out", async () => {
    const { registry, delays } = fakeRegistry(
      bearer({
        token: (_, count) =>
          count < 3 ? new Response("", { status: 503 }) : jsonResponse(200, { token: "t1" }),
      }),
    );
    await expect(resolve(registry)).resolves.toMatchObject({ digest: DIGEST });
    expect(delays).toHaveLength(2);
  });
});

describe("Basic", () => {
  const basic: FakeServer = ({ headers }) =>
    headers.get("authorization")?.startsWith("Basic ") === true
      ? found()
      : new Response("", { status: 401, headers: { "www-authenticate": 'Basic realm="r"' } });

  test("is learned from the first response, then sent up front", async () => {
    const { registry, requests } = fakeRegistry(basic, { credentials });
    await resolve(registry);
    await resolve(registry);
    expect(requests.map(({ headers }) => headers.has("authorization"))).toEqual([false, true, true]);
  });

  test("Bearer is preferred when both are offered", async () => {
    const { registry, requests } = fakeRegistry(bearer({ challenge: `Basic realm="r", ${GHCR_CHALLENGE}` }), {
      credentials,
    });
    await resolve(registry);
    expect(requests.at(-1)?.headers.get("authorization")).toBe("Bearer t1");
  });
});

describe("no credential in any error", () => {
  const secrets = [
    "hunter2-hunter2",
    Buffer.from("someone:hunter2-hunter2").toString("base64"),
    encodeURIComponent("hunter2-hunter2"),
    "t0ken-of-the-registry",
    "dckr_jti_abc",
    "as 'someone'",
  ];
  const echo = ({ headers, url }: FakeRequest): string => {
    const sent = headers.get("authorization") ?? "";
    return `got ${sent} (${sent.replace(/^\w+ /, "")}) at ${url.href} as 'someone': dckr_jti_abc`;
  };

  test.each<[string, FakeServer]>([
    [
      "a token server that quotes the request",
      bearer({ token: (request) => errorResponse(403, "DENIED", echo(request)) }),
    ],
    [
      "a registry that quotes the token",
      (request) =>
        request.url.pathname === "/token"
          ? jsonResponse(200, { token: "t0ken-of-the-registry" })
          : request.headers.has("authorization")
            ? errorResponse(403, "DENIED", echo(request))
            : errorResponse(401, "X", "y", { "www-authenticate": GHCR_CHALLENGE }),
    ],
    [
      "a registry that quotes Basic",
      (request) =>
        request.headers.has("authorization")
          ? errorResponse(400, "X", echo(request))
          : new Response("", { status: 401, headers: { "www-authenticate": "Basic" } }),
    ],
    [
      "a fetch that quotes the header",
      (request) => {
        if (request.headers.has("authorization"))
          throw new TypeError(`invalid header ${request.headers.get("authorization") ?? ""}`, {
            cause: request,
          });
        return new Response("", { status: 401, headers: { "www-authenticate": "Basic" } });
      },
    ],
    [
      "a rate limit that names the account",
      () => new Response(`You have reached your pull rate limit as 'someone': dckr_jti_abc`, { status: 429 }),
    ],
  ])("%s", async (_, server) => {
    const { registry, retries } = fakeRegistry(server, { credentials });
    const error = await rejection(registry.manifest("a/b", "v1"));
    const shown = inspect({ error, retries, registry }, { depth: 20, showHidden: true });
    for (const secret of secrets) expect(shown).not.toContain(secret);
  });
});
