import { once } from "node:events";
import { request, type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Api } from "../src/api/api.js";
import { createSessionServer } from "../src/session-server.js";

const asked: string[] = [];
const api = {
  execute: (query: string) => {
    asked.push(query);
    return Promise.resolve({ data: { size: query.length } });
  },
} as unknown as Api;
const { server, idle } = createSessionServer(api, "the-token");
const authorization = `Basic ${Buffer.from("the-token:").toString("base64")}`;
let port: number;
beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ({ port } = server.address() as AddressInfo);
});
afterAll(async () => {
  await idle();
  server.closeAllConnections();
  server.close();
});

const start = (headers: OutgoingHttpHeaders, more = {}): ClientRequest =>
  request({ port, host: "127.0.0.1", method: "POST", path: "/query", headers, ...more });
const answerTo = async (sent: ClientRequest): Promise<{ status: number | undefined; text: string }> => {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const text = (await response.toArray()).join("");
  return { status: response.statusCode, text };
};
const ask = (
  headers: OutgoingHttpHeaders,
  body = '{"query":"{version}"}',
  more = {},
): ReturnType<typeof answerTo> => answerTo(start(headers, more).end(body));
/** Writes until the server closes the connection or has taken this many megabytes. */
const flood = async (sent: ClientRequest, megabytes: number): Promise<void> => {
  sent.setMaxListeners(0);
  sent.on("error", () => undefined);
  const chunk = Buffer.alloc(1 << 20, " ");
  for (let count = 0; count < megabytes && !sent.destroyed; count++) {
    if (!sent.write(chunk)) await Promise.race([once(sent, "drain"), once(sent, "close")]);
  }
};

describe("the session server", () => {
  it("answers queries with the token, also several on one connection", async () => {
    expect(await ask({ authorization })).toEqual({ status: 200, text: '{"data":{"size":9}}' });
    expect(await ask({ authorization, host: `localhost:${port}` })).toMatchObject({ status: 200 });
  });

  it.each([
    "",
    "Basic",
    "Basic dGhlLXRva2VuOg",
    `${authorization}x`,
    authorization.toLowerCase(),
    "Bearer the-token",
  ])("refuses the authorization %j", async (wrong) => {
    asked.length = 0;
    expect(await ask({ authorization: wrong })).toMatchObject({ status: 401 });
    expect(asked).toEqual([]);
  });

  it.each(["evil.example", "127.0.0.1.evil.example", "127.0.0.1", "localhost:1"])(
    "refuses the host name %s: a browser's page must not reach it",
    async (host) => {
      expect(await ask({ authorization, host })).toMatchObject({ status: 403 });
    },
  );

  it("serves nothing else", async () => {
    expect(await ask({ authorization }, "", { path: "/" })).toMatchObject({ status: 404 });
    expect(await ask({ authorization }, "", { method: "PUT" })).toMatchObject({ status: 404 });
    expect(await ask({ authorization }, "no JSON")).toMatchObject({ status: 400 });
  });

  it("answers a wrong token before the body, and keeps none of it", async () => {
    const before = process.memoryUsage.rss();
    const sent = start({ authorization: "Basic wrong" });
    const answer = answerTo(sent);
    sent.write("{");
    expect(await answer).toMatchObject({ status: 401 });
    await flood(sent, 300);
    expect(process.memoryUsage.rss() - before).toBeLessThan(150 << 20);
    sent.destroy();
  });

  it("closes the connection of a stranger who goes on sending", async () => {
    const sent = start({ authorization: "Basic wrong" });
    const answer = answerTo(sent);
    sent.on("error", () => undefined);
    const closed = once(sent, "close");
    sent.write("{");
    await answer;
    const writing = setInterval(() => sent.write(" "), 50);
    await closed;
    clearInterval(writing);
  });

  it("refuses a body that is too large, announced or not", async () => {
    const announced = start({ authorization, "content-length": 300 << 20 });
    announced.flushHeaders();
    expect(await answerTo(announced)).toMatchObject({ status: 413 });
    announced.destroy();
    const counted = start({ authorization });
    const answer = answerTo(counted);
    void flood(counted, 300);
    expect(await answer).toMatchObject({ status: 413 });
    counted.destroy();
  });

  it("lets a client that asks first send its body only with the token", async () => {
    const continued = (headers: OutgoingHttpHeaders): Promise<string> => {
      const sent = start({ expect: "100-continue", ...headers });
      sent.on("error", () => undefined);
      sent.flushHeaders();
      return Promise.race([
        once(sent, "continue").then(() => "continue"),
        once(sent, "response").then(() => "response"),
      ]);
    };
    expect(await continued({ authorization })).toBe("continue");
    expect(await continued({ authorization: "Basic wrong" })).toBe("response");
  });

  it("waits only so long for a request to arrive, and keeps idle connections", async () => {
    expect(server.headersTimeout).toBeGreaterThan(0);
    expect(server.requestTimeout).toBeGreaterThan(0);
    expect(server.keepAliveTimeout).toBe(0);
    const socket = connect(port, "127.0.0.1");
    const text = `POST /query HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: ${authorization}\r\ncontent-length: 2\r\n\r\n{}`;
    socket.write(text);
    await once(socket, "data");
    socket.write(text);
    await once(socket, "data");
    socket.destroy();
  });
});
