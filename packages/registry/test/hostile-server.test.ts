import { createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { rejection } from "@tgo/testing";
import { afterEach, describe, expect, test } from "vitest";
import { digestOf, Registry } from "../src/index.js";
import { OCI_INDEX } from "../src/media-types.js";

/** The longest time without progress, in milliseconds. */
const TIMEOUT_MS = 300;
/** What machines that are busy need on top. */
const SLACK_MS = 400;

const blob = Buffer.alloc(50_000, "0123456789");
const descriptor = { digest: digestOf(blob), size: blob.length };
const INDEX = JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] });
const TYPE = `Content-Type: ${OCI_INDEX}\r\n`;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that writes what it likes to each connection, and the registry client that asks it. */
async function hostile(
  answer: (socket: Socket, path: string, request: number) => void | Promise<void>,
): Promise<{ registry: Registry; requests: () => number }> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    let received = "";
    socket.on("data", (data) => {
      received += data.toString("latin1");
      for (let end = received.indexOf("\r\n\r\n"); end >= 0; end = received.indexOf("\r\n\r\n")) {
        const [, path = ""] = /^[A-Z]+ (\S+)/.exec(received) ?? [];
        received = received.slice(end + 4);
        void answer(socket, path, ++requests);
      }
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    requests: () => requests,
    registry: new Registry({
      host: `localhost:${port}`,
      url: `http://127.0.0.1:${port}`,
      timeoutMs: TIMEOUT_MS,
      sleep: () => Promise.resolve(),
    }),
  };
}

/** Writes the same for ever. @param everyMs 0: as fast as it is read */
async function forEver(socket: Socket, piece: string | Buffer, everyMs: number): Promise<void> {
  while (!socket.destroyed) {
    const isTaken = socket.write(piece);
    if (everyMs > 0) await sleep(everyMs);
    else if (!isTaken)
      await new Promise((resolve) => {
        socket.once("drain", resolve);
        socket.once("close", resolve);
      });
    else await new Promise((resolve) => setImmediate(resolve));
  }
}

const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const CHUNKED = `HTTP/1.1 200 OK\r\n${TYPE}Transfer-Encoding: chunked\r\n\r\n`;

describe("a manifest from a server that never comes to an end", () => {
  test.each<[string, (socket: Socket) => void | Promise<void>]>([
    ["and never begins", () => undefined],
    ["in the status line", (socket) => forEver(socket, "H", 20)],
    [
      "in a header, a byte now and then",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\nx: ");
        return forEver(socket, "a", 20);
      },
    ],
    [
      "in headers, as fast as it can",
      (socket) => {
        socket.write("HTTP/1.1 200 OK\r\n");
        return forEver(socket, "x: y\r\n".repeat(1000), 0);
      },
    ],
    ["in early hints", (socket) => forEver(socket, "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", 10)],
    [
      "before the body",
      (socket) => void socket.write(`HTTP/1.1 200 OK\r\n${TYPE}Content-Length: 10\r\n\r\n`),
    ],
    [
      "in the body, a byte now and then",
      (socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${TYPE}Content-Length: 100000\r\n\r\n`);
        return forEver(socket, " ", 20);
      },
    ],
    [
      "in the body, as fast as it can",
      (socket) => {
        socket.write(CHUNKED);
        return forEver(socket, chunk(" ".repeat(65_536)), 0);
      },
    ],
    [
      "in empty chunks' extensions",
      (socket) => {
        socket.write(`${CHUNKED}1;`);
        return forEver(socket, "x".repeat(1000), 5);
      },
    ],
    [
      "in trailers, slowly",
      (socket) => {
        socket.write(`${CHUNKED}${chunk(INDEX)}0\r\n`);
        return forEver(socket, "x: y\r\n", 20);
      },
    ],
    [
      "in trailers, as fast as it can",
      (socket) => {
        socket.write(`${CHUNKED}${chunk(INDEX)}0\r\n`);
        return forEver(socket, "x: y\r\n".repeat(1000), 0);
      },
    ],
    [
      "in a compressed body of nothing",
      (socket) => {
        socket.write(CHUNKED.replace("\r\n\r\n", "\r\nContent-Encoding: gzip\r\n\r\n"));
        // A gzip header, and then empty blocks.
        socket.write(`a\r\n${Buffer.from("1f8b0800000000000003", "hex").toString("latin1")}\r\n`, "latin1");
        return forEver(socket, Buffer.from("5\r\n\0\0\0\xff\xff\r\n", "latin1"), 1);
      },
    ],
    [
      "in the error that it reports",
      (socket) => {
        socket.write(CHUNKED.replace("200", "503"));
        return forEver(socket, chunk(" "), 20);
      },
    ],
  ])("%s", async (_, answer) => {
    const { registry, requests } = await hostile(answer);
    const started = performance.now();
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: expect.stringMatching(/^(?:UNAVAILABLE|INVALID_RESPONSE)$/) as string,
    });
    expect(performance.now() - started).toBeLessThan(2 * TIMEOUT_MS + SLACK_MS);
    expect(requests()).toBeLessThanOrEqual(5);
  });
});

describe("one answer has one time limit", () => {
  test("for both attempts at a server that says nothing", async () => {
    const { registry, requests } = await hostile(() => undefined);
    const started = performance.now();
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "UNAVAILABLE",
      what: expect.stringContaining("no response for 0.3 s") as string,
    });
    expect(requests()).toBe(2);
    expect(performance.now() - started).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  test("for all attempts at connections that are closed late", async () => {
    const { registry, requests } = await hostile(async (socket) => {
      await sleep(TIMEOUT_MS * 0.4);
      socket.destroy();
    });
    const started = performance.now();
    await rejection(registry.manifest("a/b", "v1"));
    expect(requests()).toBe(3);
    expect(performance.now() - started).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  test("for all redirects", async () => {
    const { registry } = await hostile(async (socket) => {
      await sleep(TIMEOUT_MS * 0.5);
      socket.write("HTTP/1.1 307 Temporary Redirect\r\nLocation: /v2/x\r\nContent-Length: 0\r\n\r\n");
    });
    const started = performance.now();
    await rejection(registry.manifest("a/b", "v1"));
    expect(performance.now() - started).toBeLessThan(2 * TIMEOUT_MS + SLACK_MS);
  });

  test("for all pages of a list", async () => {
    const { registry, requests } = await hostile(async (socket, path, page) => {
      await sleep(TIMEOUT_MS / 2);
      const body = '{"tags":[]}';
      const link = `Link: <${path.split("?")[0]}?last=${page}>; rel="next"\r\n`;
      socket.write(`HTTP/1.1 200 OK\r\n${link}Content-Length: ${body.length}\r\n\r\n${body}`);
    });
    const started = performance.now();
    expect(await rejection(registry.tags("a/b"))).toMatchObject({ code: "UNAVAILABLE" });
    expect(performance.now() - started).toBeLessThan(3 * TIMEOUT_MS + SLACK_MS);
    expect(requests()).toBeLessThan(50);
  });

  test("for a blob that stops on each connection before it has delivered anything", async () => {
    const { registry, requests } = await hostile((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${blob.length}\r\n\r\n`);
    });
    const started = performance.now();
    const stream = await registry.blob("a/b", descriptor);
    expect(await rejection(new Response(stream).arrayBuffer())).toMatchObject({ code: "UNAVAILABLE" });
    expect(performance.now() - started).toBeLessThan(2 * TIMEOUT_MS + SLACK_MS);
    expect(requests()).toBe(2);
  });

  test("a blob that stops half way is resumed, in time for the rest", async () => {
    const { registry, requests } = await hostile((socket, _path, request) => {
      const half = blob.length / 2;
      const range = `Content-Range: bytes ${half}-${blob.length - 1}/${blob.length}\r\n`;
      if (request === 1) {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${blob.length}\r\n\r\n`);
        socket.write(blob.subarray(0, half));
      } else {
        socket.write(`HTTP/1.1 206 Partial Content\r\n${range}Content-Length: ${half}\r\n\r\n`);
        socket.write(blob.subarray(half));
      }
    });
    const started = performance.now();
    const chunks: Uint8Array[] = [];
    for await (const piece of await registry.blob("a/b", descriptor)) chunks.push(piece);
    expect(Buffer.concat(chunks).equals(blob)).toBe(true);
    expect(requests()).toBe(2);
    expect(performance.now() - started).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  });

  test("a request that gets no answer is sent again, in time for it", async () => {
    const { registry } = await hostile((socket, _path, request) => {
      if (request === 2)
        socket.write(`HTTP/1.1 200 OK\r\n${TYPE}Content-Length: ${INDEX.length}\r\n\r\n${INDEX}`);
    });
    expect((await registry.manifest("a/b", "v1")).value.schemaVersion).toBe(2);
  });

  test("an upload that is taken and never answered is sent once more: what was sent is progress", async () => {
    const puts: string[] = [];
    const { registry } = await hostile((socket, path) => {
      if (path.includes("digest=")) puts.push(path);
      else if (path.endsWith("/uploads/"))
        socket.write(
          "HTTP/1.1 202 Accepted\r\nLocation: /v2/a/b/blobs/uploads/1\r\nContent-Length: 0\r\n\r\n",
        );
      else socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    });
    const upload = { ...descriptor, open: () => new Response(blob).body ?? blob };
    const started = performance.now();
    expect(await rejection(registry.putBlob("a/b", upload))).toMatchObject({ code: "UNAVAILABLE" });
    expect(puts).toHaveLength(2);
    expect(performance.now() - started).toBeLessThan(2 * TIMEOUT_MS + SLACK_MS);
  });
});

describe("a server that lies", () => {
  test("about the length: a manifest that is shorter is not taken", async () => {
    const { registry } = await hostile((socket) => {
      socket.end(`HTTP/1.1 200 OK\r\n${TYPE}Content-Length: ${INDEX.length + 5}\r\n\r\n${INDEX}`);
    });
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({ code: "UNAVAILABLE" });
  });

  test("about the length: what follows is not taken for the next answer", async () => {
    const { registry } = await hostile((socket) => {
      const other = INDEX.replace("2", "3");
      socket.write(`HTTP/1.1 200 OK\r\n${TYPE}Content-Length: ${INDEX.length}\r\n\r\n${INDEX}`);
      socket.write(`HTTP/1.1 200 OK\r\n${TYPE}Content-Length: ${other.length}\r\n\r\n${other}`);
    });
    for (let round = 0; round < 3; round++)
      await registry.manifest("a/b", "v1").then(
        ({ value }) => {
          expect(value.schemaVersion).toBe(2);
        },
        (error: unknown) => {
          expect(error).toMatchObject({ code: "UNAVAILABLE" });
        },
      );
  });

  test("about a manifest that is compressed a thousandfold", async () => {
    const packed = gzipSync(Buffer.alloc(64 * 1024 * 1024, " "));
    const { registry } = await hostile((socket) => {
      socket.write(
        `HTTP/1.1 200 OK\r\n${TYPE}Content-Encoding: gzip\r\nContent-Length: ${packed.length}\r\n\r\n`,
      );
      socket.write(packed);
    });
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: "the response is longer than 4194304 bytes",
    });
  });

  test("with a header that is too long, is asked once", async () => {
    const { registry, requests } = await hostile((socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\nContent-Length: 0\r\n\r\n`);
    });
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({ code: "UNAVAILABLE" });
    expect(requests()).toBe(1);
  });

  test("about where it is: redirects in a circle", async () => {
    const { registry, requests } = await hostile((socket, path) => {
      socket.write(`HTTP/1.1 307 Temporary Redirect\r\nLocation: ${path}\r\nContent-Length: 0\r\n\r\n`);
    });
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      what: "the registry redirects more than 5 times",
    });
    expect(requests()).toBe(6);
  });

  test.each([
    ["to itself", "?n=1000", 1],
    ["to the page before", "?last=1", 2],
  ])("about the next page of a list: %s", async (_, next, pages) => {
    const { registry, requests } = await hostile((socket, path) => {
      const body = '{"tags":["v1"]}';
      const link = `Link: <${path.split("?")[0]}${next}>; rel="next"\r\n`;
      socket.write(`HTTP/1.1 200 OK\r\n${link}Content-Length: ${body.length}\r\n\r\n${body}`);
    });
    expect(await registry.tags("a/b")).toEqual(["v1"]);
    expect(requests()).toBe(pages);
  });

  test("about the next page of a list: on another host", async () => {
    const { registry } = await hostile((socket) => {
      const body = '{"tags":["v1"]}';
      const link = 'Link: <http://10.0.0.1/v2/a/c/tags/list>; rel="next"\r\n';
      socket.write(`HTTP/1.1 200 OK\r\n${link}Content-Length: ${body.length}\r\n\r\n${body}`);
    });
    expect(await rejection(registry.tags("a/b"))).toMatchObject({
      what: "the list of tags continues on another host (http://10.0.0.1)",
    });
  });

  test("about a token that never ends", async () => {
    const { registry } = await hostile((socket, path) => {
      if (!path.startsWith("/token")) {
        const realm = `http://127.0.0.1:${socket.localPort}/token`;
        socket.write(
          `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer realm="${realm}"\r\nContent-Length: 0\r\n\r\n`,
        );
        return undefined;
      }
      socket.write(CHUNKED);
      return forEver(socket, chunk(" ".repeat(65_536)), 0);
    });
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: "the response is longer than 262144 bytes",
    });
  });
});
