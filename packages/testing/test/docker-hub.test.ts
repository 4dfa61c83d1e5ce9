import { describe, expect, it } from "vitest";
import { dockerHubIsReachable } from "../src/index.js";

const token = (): Response => Response.json({ token: "t" });
const manifest = (headers: Record<string, string>, status = 200): Response =>
  new Response(null, { status, headers: { "docker-content-digest": "sha256:1", ...headers } });

describe("Docker Hub", () => {
  it.each<{ when: string; token: () => Response; manifest: () => Response; expected: boolean }>([
    { when: "it shows the manifest", token, manifest: () => manifest({}), expected: true },
    {
      when: "pulls are left",
      token,
      manifest: () => manifest({ "ratelimit-remaining": "87;w=21600" }),
      expected: true,
    },
    {
      when: "no pull is left",
      token,
      manifest: () => manifest({ "ratelimit-remaining": "0;w=21600" }),
      expected: false,
    },
    { when: "it refuses", token, manifest: () => manifest({}, 429), expected: false },
    {
      when: "a proxy answers HTML for the token",
      token: () => new Response("<html>", { headers: { "content-type": "text/html" } }),
      manifest: () => manifest({}),
      expected: false,
    },
    {
      when: "a proxy answers HTML for the manifest",
      token,
      manifest: () => new Response("<html>"),
      expected: false,
    },
    {
      when: "a proxy forbids it",
      token: () => new Response("no", { status: 403 }),
      manifest: () => manifest({}),
      expected: false,
    },
  ])("is $expected when $when", async ({ token: grant, manifest: show, expected }) => {
    const answer = (input: string | URL | Request): Promise<Response> =>
      Promise.resolve(new Request(input).url.startsWith("https://auth.docker.io/token?") ? grant() : show());
    expect(await dockerHubIsReachable({ fetch: answer })).toBe(expected);
  });

  it("is unreachable after the timeout", async () => {
    const never: typeof fetch = (_input, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener("abort", () => {
          reject(new Error("aborted"));
        });
      });
    const start = performance.now();
    expect(await dockerHubIsReachable({ fetch: never, timeoutMs: 50 })).toBe(false);
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  it("is unreachable without a network", async () => {
    expect(await dockerHubIsReachable({ fetch: () => Promise.reject(new TypeError("fetch failed")) })).toBe(
      false,
    );
  });
});
