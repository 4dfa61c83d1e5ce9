import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startProxies } from "../src/dockerfile/proxies.js";

const PASSWORD = "pr0xy p@ss";
let upstream: Server;
let asked: string[];
let address: string;

beforeEach(async () => {
  asked = [];
  const allowed = (incoming: IncomingMessage): boolean => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const expected = Buffer.from(`me:${PASSWORD}`).toString("base64");
    return incoming.headers["proxy-authorization"] === `Basic ${expected}`;
  };
  upstream = createServer((incoming, response) => {
    response.writeHead(allowed(incoming) ? 200 : 407).end("from the proxy");
  });
  upstream.on("connect", (incoming: IncomingMessage, socket) => {
    socket.end(`HTTP/1.1 ${allowed(incoming) ? "200 OK" : "407 No"}\r\n\r\n`);
  });
  await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
  address = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
});
afterEach(() => {
  upstream.closeAllConnections();
  upstream.close();
});

const withPassword = (scheme = "http://"): string => `${scheme}me:${encodeURIComponent(PASSWORD)}@${address}`;

/** GETs a page through a proxy. */
function get(proxy: string, url: string, { authorized = true } = {}): Promise<string> {
  const { hostname, port, username, password } = new URL(proxy);
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  return new Promise((resolve, reject) => {
    const headers = {
      host: new URL(url).host,
      ...(authorized ? { "proxy-authorization": `Basic ${basic}` } : {}),
    };
    request({ hostname, port, path: url, headers }, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    })
      .on("error", reject)
      .end();
  });
}

/** Asks a proxy for a tunnel, and returns its first line. */
function tunnel(proxy: string): Promise<string> {
  const { hostname, port, username, password } = new URL(proxy);
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `CONNECT pypi.example.com:443 HTTP/1.1\r\nhost: pypi.example.com\r\nproxy-authorization: Basic ${basic}\r\n\r\n`,
      );
    });
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString().split("\r\n")[0] ?? "");
    });
    socket.on("error", reject);
  });
}

describe("a proxy with a password", () => {
  it.each(["HTTP_PROXY", "https_proxy"])(
    "in %s is reached through a relay that adds the password",
    async (name) => {
      const { env, addresses, close } = await startProxies({ [name]: withPassword(), PATH: "/bin" }, []);
      const proxy = env[name] ?? "";
      expect(Object.keys(env)).toEqual([name]);
      expect(proxy).toMatch(/^http:\/\/build:[\w-]{24}@127\.0\.0\.1:\d+$/);
      expect(addresses).toEqual([`http://${new URL(proxy).host}`]);
      expect(await get(proxy, "http://example.com/simple/")).toBe("200");
      expect(await tunnel(proxy)).toContain("200");
      expect(asked).toEqual(["GET http://example.com/simple/", "CONNECT pypi.example.com:443"]);
      // Another user of this machine cannot use it, and nobody can after the build.
      expect(await get(proxy, "http://example.com/", { authorized: false })).toBe("407");
      await close();
      await expect(get(proxy, "http://example.com/")).rejects.toThrow("ECONNREFUSED");
    },
  );

  it("as a build argument replaces the machine's own", async () => {
    const given = { HTTP_PROXY: "http://other:3128", NO_PROXY: "localhost" };
    const args = [
      { name: "HTTP_PROXY", value: withPassword() },
      { name: "all_proxy", value: withPassword("") },
      { name: "OTHER", value: "1" },
    ];
    const { env, buildArgs, close } = await startProxies(given, args);
    expect(env.NO_PROXY).toBe("localhost");
    expect(env.HTTP_PROXY).toContain("http://build:");
    expect(env.all_proxy).toBe(env.HTTP_PROXY);
    expect(buildArgs).toEqual({ HTTP_PROXY: env.HTTP_PROXY, all_proxy: env.HTTP_PROXY, OTHER: "1" });
    expect(JSON.stringify([env, buildArgs])).not.toMatch(/pr0xy|%20p/);
    await close();
  });

  it("without one is passed on as it is", async () => {
    const given = { http_proxy: "http://proxy:3128", HTTPS_PROXY: "127.0.0.1:3129" };
    const { env, addresses } = await startProxies(given, []);
    expect(env).toEqual(given);
    expect(addresses).toEqual(["http://proxy:3128", "http://127.0.0.1:3129"]);
  });

  it.each(["http://me:a/b#c@proxy:3128", "ftp://me:hunter22@proxy", "http://me:hunter22@:1"])(
    "%s is an error, without the password",
    async (address) => {
      const error: unknown = await startProxies({ HTTP_PROXY: address }, []).catch(
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: "USAGE", what: "HTTP_PROXY is not the address of a proxy" });
      expect(String(error)).not.toMatch(/a\/b|hunter/);
    },
  );
});
