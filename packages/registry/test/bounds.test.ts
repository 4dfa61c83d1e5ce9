import { setTimeout as sleep } from "node:timers/promises";
import { fakeRegistry, jsonResponse, rejection } from "@tgo/testing";
import { describe, expect, test } from "vitest";
import { copyImage, digestOf, Registry } from "../src/index.js";
import { MAX_MANIFEST_BYTES, OCI_INDEX, OCI_MANIFEST } from "../src/media-types.js";

const blob = Buffer.alloc(100_000, "0123456789");
const descriptor = { digest: digestOf(blob), size: blob.length };

/** A body of chunks that a generator yields, and how many bytes of it were taken. */
function body(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): {
  stream: ReadableStream<Uint8Array>;
  taken: () => number;
} {
  let taken = 0;
  const source = (async function* () {
    for await (const chunk of chunks) {
      taken += chunk.length;
      yield chunk;
    }
  })();
  return {
    taken: () => taken,
    stream: new ReadableStream(
      {
        async pull(controller) {
          const { done, value } = await source.next();
          if (done === true) controller.close();
          else controller.enqueue(value);
        },
        cancel: async () => {
          await source.return(undefined);
        },
      },
      { highWaterMark: 0 },
    ),
  };
}

function* endless(size: number): Generator<Uint8Array> {
  for (;;) yield Buffer.alloc(size, " ");
}

/** Chunks of this size, so many milliseconds apart. */
async function* dripping(size: number, everyMs: number, count = Infinity): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < count; at++) {
    await sleep(everyMs);
    yield Buffer.alloc(size, " ");
  }
}

async function readAll(stream: ReadableStream<Uint8Array>, pauseMs = 0): Promise<number> {
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return size;
}

describe("a body ends where its descriptor says", () => {
  test("an endless blob is left after its size", async () => {
    const { stream, taken } = body(endless(10_000));
    const { registry } = fakeRegistry(() => new Response(stream));
    expect(await rejection(readAll(await registry.blob("a/b", descriptor)))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: "the registry sends more than the blob's 100000 bytes",
    });
    expect(taken()).toBeLessThanOrEqual(130_000);
  });

  test("so is a range", async () => {
    const headers = { "content-range": `bytes 0-9/${blob.length}` };
    const { registry } = fakeRegistry(() => new Response(body(endless(7)).stream, { status: 206, headers }));
    const stream = await registry.blob("a/b", descriptor, { start: 0, end: 9 });
    expect(await rejection(readAll(stream))).toMatchObject({ code: "INVALID_RESPONSE" });
  });

  test("a descriptor with the wrong size is an error, whatever the digest", async () => {
    const { registry } = fakeRegistry(() => new Response(blob));
    const stream = await registry.blob("a/b", { ...descriptor, size: blob.length + 1 });
    expect(await rejection(readAll(stream))).toMatchObject({ what: "the blob has 100000 bytes, not 100001" });
  });

  test("the size of a blob is asked for by a byte, not by an endless body", async () => {
    const { stream, taken } = body(endless(1000));
    const { registry } = fakeRegistry(({ method }) =>
      method === "HEAD"
        ? new Response(null)
        : new Response(stream, { status: 206, headers: { "content-range": "bytes 0-0/4711" } }),
    );
    expect(await registry.hasBlob("a/b", descriptor.digest)).toBe(4711);
    expect(taken()).toBeLessThan(5000);
  });

  test("an endless manifest is left after 4 MiB", async () => {
    const { stream, taken } = body(endless(100_000));
    const { registry } = fakeRegistry(() => new Response(stream, { headers: { "content-type": OCI_INDEX } }));
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(taken()).toBeLessThan(MAX_MANIFEST_BYTES + 300_000);
  });
});

describe("a list ends", () => {
  const page = (tags: string[], next: string): Response =>
    jsonResponse(200, { tags }, { link: `</v2/a/b/tags/list?last=${next}>; rel="next"` });

  test.each([
    ["pages of a thousand tags", 1000, 101],
    ["pages of one", 1, 1000],
    ["pages of none", 0, 1000],
  ])("that goes on for ever: %s", async (_, size, requestsAtMost) => {
    let at = 0;
    const { registry, requests } = fakeRegistry(() => {
      at++;
      return page(
        Array.from({ length: size }, (_tag, index) => `t${at}-${index}`),
        String(at),
      );
    });
    expect(await rejection(registry.tags("a/b"))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: "the list of tags is longer than 100000 tags, 1000 pages or 67108864 bytes",
    });
    expect(requests.length).toBeLessThanOrEqual(requestsAtMost);
  });

  test("a page that is too large", async () => {
    const { registry } = fakeRegistry(() => new Response(body(endless(1e6)).stream));
    expect(await rejection(registry.tags("a/b"))).toMatchObject({
      what: expect.stringMatching(/longer than \d+ bytes/) as string,
    });
  });

  test("of tags that are none: they are left out, and not kept", async () => {
    let at = 0;
    const { registry } = fakeRegistry(() => {
      const names = Array.from({ length: 7 }, (_, index) => `${index}${"x".repeat(1_000_000)}`);
      return page(["", "../v1", "a b", `v${++at}`, "t".repeat(129), ...names], String(at));
    });
    expect(await rejection(registry.tags("a/b"))).toMatchObject({
      what: expect.stringContaining("67108864 bytes") as string,
    });
    expect(at).toBeLessThan(12);
    const few = fakeRegistry(() => jsonResponse(200, { tags: ["", "../v1", "a b", "v1", "t".repeat(129)] }));
    expect(await few.registry.tags("a/b")).toEqual(["v1"]);
  });

  test("that is nested too deep", async () => {
    const { registry } = fakeRegistry(() => new Response(`{"tags":${"[".repeat(8_000_000)}`));
    expect(await rejection(registry.tags("a/b"))).toMatchObject({
      what: expect.stringContaining("expected a list of tags") as string,
    });
  });

  test("of a thousand pages and a hundred thousand tags is read", async () => {
    let at = 0;
    const { registry } = fakeRegistry(() => {
      at++;
      const tags = Array.from({ length: 100 }, (_, index) => `t${at}-${index}`);
      return at === 1000 ? jsonResponse(200, { tags }) : page(tags, String(at));
    });
    expect(await registry.tags("a/b")).toHaveLength(100_000);
  });
});

describe("a body has a least speed: 128 B/s over the time limit", () => {
  const timeoutMs = 200;
  const registryOf = (
    stream: () => ReadableStream<Uint8Array>,
  ): { readonly registry: Registry; readonly requests: () => number } => {
    let requests = 0;
    const registry = new Registry({
      host: "ghcr.io",
      timeoutMs,
      sleep: () => Promise.resolve(),
      fetch: (_, init) => {
        requests++;
        // The real fetch breaks a body off when its signal fires.
        const { signal } = init ?? {};
        const response = stream().pipeThrough(new TransformStream(), signal ? { signal } : {});
        return Promise.resolve(new Response(response, { headers: { "content-type": OCI_INDEX } }));
      },
    });
    return { registry, requests: () => requests };
  };

  test.each([
    ["a manifest", (of: ReturnType<typeof registryOf>) => of.registry.manifest("a/b", "v1")],
    [
      "a blob",
      async (of: ReturnType<typeof registryOf>) => readAll(await of.registry.blob("a/b", descriptor)),
    ],
  ])("%s of a byte now and then is left, and not asked for again", async (_, read) => {
    const fake = registryOf(() => body(dripping(1, 20)).stream);
    const started = performance.now();
    expect(await rejection(read(fake))).toMatchObject({
      code: "UNAVAILABLE",
      what: expect.stringMatching(/\d+ bytes in 0\.2 s, less than the 25\.6 of the least speed/) as string,
    });
    expect(performance.now() - started).toBeLessThan(5 * timeoutMs);
    expect(fake.requests()).toBe(1);
  });

  test("a slow mirror is not: 5 KB/s for five time limits", async () => {
    const fake = registryOf(() => body(dripping(100, 20, 50)).stream);
    expect(
      await rejection(readAll(await fake.registry.blob("a/b", { digest: descriptor.digest, size: 5000 }))),
    ).toMatchObject({ what: expect.stringContaining("the blob's bytes have the digest") as string });
  });

  test("the reader's own time does not count", async () => {
    const chunks = [0, 1, 2, 3].map((at) => blob.subarray(at * 25_000, (at + 1) * 25_000));
    const fake = registryOf(() => body(chunks).stream);
    expect(await readAll(await fake.registry.blob("a/b", descriptor), timeoutMs)).toBe(blob.length);
  });
});

describe("an index", () => {
  const child = (name: string): object => ({
    mediaType: OCI_INDEX,
    digest: digestOf(Buffer.from(name)),
    size: 1,
  });
  const index = (...manifests: object[]): Buffer =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));

  test("that lists another one is not copied: that one could list a third", async () => {
    const inner = index(child("a"));
    const outer = index({ mediaType: OCI_INDEX, digest: digestOf(inner), size: inner.length });
    const source = fakeRegistry(
      ({ url }) =>
        new Response(url.pathname.endsWith(digestOf(inner)) ? inner : outer, {
          headers: { "content-type": OCI_INDEX },
        }),
    );
    const target = fakeRegistry(() => new Response("", { status: 404 }));
    const copy = copyImage({
      from: { registry: source.registry, repository: "a/b" },
      to: { registry: target.registry, repository: "a/b" },
      digest: digestOf(outer),
    });
    expect(await rejection(copy)).toMatchObject({ what: "the index lists another index" });
  });

  test("that is served as something else is refused: clients believe one or the other", async () => {
    const { registry } = fakeRegistry(
      () => new Response(index(), { headers: { "content-type": `${OCI_MANIFEST}; charset=utf-8` } }),
    );
    expect(await rejection(registry.manifest("a/b", "v1"))).toMatchObject({
      code: "INVALID_RESPONSE",
      what: expect.stringContaining(`serves it as ${OCI_MANIFEST}`) as string,
    });
  });

  test.each(["application/json", "application/octet-stream", "text/plain; charset=utf-8"])(
    "that is served as %s is what it says that it is, and the answer is remembered",
    async (type) => {
      const { registry } = fakeRegistry(() => new Response(index(), { headers: { "content-type": type } }));
      expect(await registry.manifest("a/b", "v1")).toMatchObject({
        descriptor: { mediaType: OCI_INDEX },
        servedAs: type.split(";")[0],
      });
      expect(await registry.resolve("a/b", "v1")).toMatchObject({ mediaType: OCI_INDEX });
    },
  );
});
