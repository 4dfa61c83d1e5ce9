import { createHash } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  startFaultProxy,
  startRegistry,
  type Fault,
  type FaultProxy,
  type LocalRegistry,
} from "../src/index.js";

let registry: LocalRegistry;
let proxy: FaultProxy;

beforeAll(async () => {
  registry = await startRegistry({ auth: "none" });
  proxy = await startFaultProxy(registry.url);
  await pushBlob(CONFIG);
});
afterEach(() => {
  proxy.clear();
});
afterAll(async () => {
  await proxy.stop();
  await registry.stop();
});

const CONFIG = "{}";
const digestOf = (text: string): string => `sha256:${createHash("sha256").update(text).digest("hex")}`;

async function pushBlob(text: string): Promise<void> {
  const begun = await fetch(`${proxy.url}/v2/a/b/blobs/uploads/`, { method: "POST" });
  const location = new URL(begun.headers.get("location") ?? "", proxy.url);
  expect(location.host).toBe(proxy.host);
  location.searchParams.set("digest", digestOf(text));
  expect((await fetch(location, { method: "PUT", body: text })).status).toBe(201);
}

const manifest = (text: string): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: {
      mediaType: "application/vnd.oci.image.config.v1+json",
      digest: digestOf(CONFIG),
      size: CONFIG.length,
    },
    layers: [],
    annotations: { text },
  });

const put = (tag: string, text: string): Promise<Response> =>
  fetch(`${proxy.url}/v2/a/b/manifests/${tag}`, {
    method: "PUT",
    headers: { "content-type": "application/vnd.oci.image.manifest.v1+json" },
    body: manifest(text),
  });

/** What the registry behind holds under a tag, asked without the proxy. */
async function held(tag: string, url = registry.url): Promise<string | undefined> {
  const accept = "application/vnd.oci.image.manifest.v1+json";
  const answer = await fetch(`${url}/v2/a/b/manifests/${tag}`, { headers: { accept } });
  return answer.status === 404 ? undefined : await answer.text();
}

const onPut = (fault: Fault, times = 1): void => {
  proxy.add({ on: ({ method, path }) => method === "PUT" && path.includes("/manifests/"), fault, times });
};

describe("A fault proxy", () => {
  it("is the registry when no rule matches", async () => {
    expect((await put("plain", "one")).status).toBe(201);
    expect(await held("plain", proxy.url)).toBe(manifest("one"));
  });

  it.each<Fault>([{ kind: "refuse" }, { kind: "reset", afterBytes: 10 }])(
    "breaks a connection before the registry hears of it: %j",
    async (fault) => {
      onPut(fault);
      await expect(put(`broken-${fault.kind}`, "x")).rejects.toThrow();
      expect(await held(`broken-${fault.kind}`)).toBeUndefined();
      expect((await put(`broken-${fault.kind}`, "x")).status).toBe(201);
    },
  );

  it("loses a response after the registry has handled the request", async () => {
    onPut({ kind: "lose-answer" });
    await expect(put("lost", "x")).rejects.toThrow();
    expect(await held("lost")).toBe(manifest("x"));
  });

  it("responds with any status and header", async () => {
    onPut({ kind: "answer", status: 429, headers: { "retry-after": "3" }, body: "slow down" });
    const answer = await put("busy", "x");
    expect([answer.status, answer.headers.get("retry-after"), await answer.text()]).toEqual([
      429,
      "3",
      "slow down",
    ]);
  });

  it("accepts a push and forgets it", async () => {
    onPut({ kind: "forget" });
    expect((await put("forgotten", "x")).status).toBe(201);
    expect(await held("forgotten")).toBeUndefined();
  });

  it("returns what was there before the last write", async () => {
    await put("moving", "old");
    await put("moving", "new");
    proxy.add({ on: ({ method }) => method === "GET", fault: { kind: "stale" }, times: 1 });
    expect(await held("moving", proxy.url)).toBe(manifest("old"));
    expect(await held("moving", proxy.url)).toBe(manifest("new"));
  });

  it("stores different bytes", async () => {
    onPut({ kind: "rewrite" });
    const answer = await put("rewritten", "x");
    expect(answer.status).toBe(201);
    expect(answer.headers.get("docker-content-digest")).not.toBe(digestOf(manifest("x")));
    expect(JSON.parse((await held("rewritten")) ?? "")).toEqual(JSON.parse(manifest("x")));
  });

  it("delays, and hangs", async () => {
    const started = performance.now();
    onPut({ kind: "delay", ms: 120 });
    expect((await put("late", "x")).status).toBe(201);
    expect(performance.now() - started).toBeGreaterThan(115);
    onPut({ kind: "hang" });
    const waiting = fetch(`${proxy.url}/v2/a/b/manifests/late`, {
      method: "PUT",
      body: "x",
      signal: AbortSignal.timeout(200),
    });
    await expect(waiting).rejects.toThrow(/timeout/i);
  });

  it("stores different bytes silently: its response has the digest of what was sent", async () => {
    onPut({ kind: "rewrite", silent: true });
    const answer = await put("rewritten-in-silence", "x");
    expect(answer.headers.get("docker-content-digest")).toBe(digestOf(manifest("x")));
    expect(await held("rewritten-in-silence")).not.toBe(manifest("x"));
  });

  it("breaks off a response, or stalls in the middle of it", async () => {
    await put("half", "x");
    proxy.add({ on: ({ method }) => method === "GET", fault: { kind: "cut", afterBytes: 10 }, times: 1 });
    await expect(held("half", proxy.url)).rejects.toThrow(/terminated/);
    proxy.add({ on: ({ method }) => method === "GET", fault: { kind: "stall", afterBytes: 10 }, times: 1 });
    const stalled = await fetch(`${proxy.url}/v2/a/b/manifests/half`, {
      headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
      signal: AbortSignal.timeout(500),
    });
    expect(stalled.status).toBe(200);
    await expect(stalled.text()).rejects.toThrow(/timeout/i);
  });

  it("sends a response in pieces", async () => {
    await put("pieces", "x");
    proxy.add({ on: ({ method }) => method === "GET", fault: { kind: "drip", pieces: 4, ms: 30 }, times: 1 });
    const started = performance.now();
    expect(await held("pieces", proxy.url)).toBe(manifest("x"));
    expect(performance.now() - started).toBeGreaterThan(110);
  });

  it("refuses a manifest by its content, and no other", async () => {
    onPut({ kind: "refuse-manifest", like: /"text":"odd"/, status: 403, body: "unknown manifest class" });
    expect((await put("usual", "even")).status).toBe(201);
    const refused = await put("unusual", "odd");
    expect([refused.status, await refused.text()]).toEqual([403, "unknown manifest class"]);
  });

  it("stops listening until it is started again", async () => {
    onPut({ kind: "down" });
    await expect(put("down", "x")).rejects.toThrow();
    await expect(put("down", "x")).rejects.toMatchObject({ cause: { code: "ECONNREFUSED" } });
    await proxy.up();
    expect((await put("down", "x")).status).toBe(201);
  });

  it("counts requests and injected faults", async () => {
    const before = proxy.faultCount();
    onPut({ kind: "answer", status: 500 }, 2);
    await put("counted", "x");
    await put("counted", "x");
    expect((await put("counted", "x")).status).toBe(201);
    expect(proxy.faultCount() - before).toBe(2);
    const asked = proxy.requests().slice(-3);
    expect(asked.map(({ status, fault }) => [status, fault])).toEqual([
      [500, "answer"],
      [500, "answer"],
      [201, undefined],
    ]);
    expect(asked.at(-1)).toMatchObject({ method: "PUT", path: "/v2/a/b/manifests/counted" });
  });
});
