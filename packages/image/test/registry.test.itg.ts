import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { inspect, promisify } from "node:util";
import {
  decoyServer,
  htmlServer,
  startRegistry,
  type LocalRegistry,
  BOTH_PLATFORMS,
  stageImage,
  streamOf,
} from "@tgo/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyImage, digestOf, Registry, type RegistryOptions } from "@tgo/registry";
import { finaliseImage, pushImage, verifyImage } from "../src/index.js";

const run = promisify(execFile);
const AUTHS = ["none", "basic", "bearer"] as const;
const registries = {} as Record<(typeof AUTHS)[number], LocalRegistry>;

beforeAll(async () => {
  for (const auth of AUTHS) registries[auth] = await startRegistry({ auth });
});

afterAll(async () => {
  await Promise.all(Object.values(registries).map((registry) => registry.stop()));
});

function client(local: LocalRegistry, options: Partial<RegistryOptions> = {}): Registry {
  const { host, username, password } = local;
  const credentials =
    username === undefined || password === undefined ? {} : { credentials: { username, password } };
  return new Registry({ host, ...credentials, ...options });
}

function skopeoLogin({ username, password }: LocalRegistry, prefix = ""): string[] {
  return username === undefined || password === undefined
    ? [`--${prefix}no-creds`]
    : [`--${prefix}creds`, `${username}:${password}`];
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.each(AUTHS)("a registry with %s auth", (auth) => {
  test("responds to a ping", async () => {
    await expect(client(registries[auth]).ping()).resolves.toBeUndefined();
  });

  test("says whether a push would be accepted, and pushes nothing", async () => {
    const { date } = await client(registries[auth]).probePush("t/probed");
    expect(Math.abs((date?.getTime() ?? 0) - Date.now())).toBeLessThan(5000);
    expect(await client(registries[auth]).tags("t/probed")).toEqual([]);
    if (auth === "none") return;
    const wrong = client({ ...registries[auth], password: "wrong" });
    await expect(wrong.probePush("t/probed")).rejects.toMatchObject({ code: "UNAUTHORIZED" });
  });

  test("stores a blob once, and returns the whole or a range", async () => {
    const registry = client(registries[auth]);
    const bytes = Buffer.alloc(300_000, "abcdefghij");
    const blob = { digest: digestOf(bytes), size: bytes.length, open: () => streamOf(bytes) };

    expect(await registry.hasBlob("t/blob", blob.digest)).toBeUndefined();
    expect(await registry.putBlob("t/blob", blob)).toBe("uploaded");
    expect(await registry.putBlob("t/blob", blob)).toBe("exists");
    expect(await registry.hasBlob("t/blob", blob.digest)).toBe(bytes.length);
    expect((await readAll(await registry.blob("t/blob", blob))).equals(bytes)).toBe(true);
    const part = await readAll(await registry.blob("t/blob", blob, { start: 10, end: 14 }));
    expect(part.toString()).toBe("abcde");
  });

  test("mounts a blob from another repository", async () => {
    const registry = client(registries[auth]);
    const bytes = Buffer.from("shared between repositories");
    const digest = digestOf(bytes);
    await registry.putBlob("t/mount-source", { digest, size: bytes.length, open: () => bytes });

    expect(await registry.mountBlob("t/mount-target", digest, "t/mount-source")).toBe(true);
    expect(await registry.hasBlob("t/mount-target", digest)).toBe(bytes.length);
    expect(
      await registry.mountBlob("t/mount-target", digestOf(Buffer.from("nowhere")), "t/mount-source"),
    ).toBe(false);
  });

  test("lists tags, and none of a repository that does not exist", async () => {
    const registry = client(registries[auth]);
    await stageImage(registry, "t/tags", "b", [{ platform: "linux/amd64" }]);
    await stageImage(registry, "t/tags", "a", [{ platform: "linux/amd64" }]);

    expect((await registry.tags("t/tags")).sort()).toEqual(["a", "b"]);
    expect(await registry.tags("t/none")).toEqual([]);
  });

  test("resolves tags, returns undefined for missing ones, and deletes", async () => {
    const registry = client(registries[auth]);
    const { digest } = await stageImage(registry, "t/resolve", "v1", [{ platform: "linux/amd64" }]);

    expect((await registry.resolve("t/resolve", "v1"))?.digest).toBe(digest);
    expect(await registry.resolve("t/resolve", "v2")).toBeUndefined();
    expect((await registry.manifest("t/resolve", digest)).descriptor.digest).toBe(digest);
    await expect(registry.manifest("t/resolve", "v2")).rejects.toMatchObject({
      code: "NOT_FOUND",
      what: 'there is no tag "v2"',
    });
    await registry.deleteManifest("t/resolve", digest);
    expect(await client(registries[auth]).resolve("t/resolve", "v1")).toBeUndefined();
  });

  test("a finalised image is pushed, read unchanged by skopeo, and verified", async () => {
    const registry = client(registries[auth]);
    await stageImage(
      registry,
      "t/staging",
      "s",
      BOTH_PLATFORMS.map((platform) => ({ platform })),
      { docker: true, attestation: false },
    );
    const image = await finaliseImage({
      source: { registry, repository: "t/staging", reference: "s" },
      platforms: BOTH_PLATFORMS,
      created: new Date("2026-01-02T03:04:05Z"),
      annotations: { "org.opencontainers.image.version": "1.2.3" },
      labels: { "org.opencontainers.image.version": "1.2.3" },
    });
    const to = { registry, repository: "t/final" };

    const first = await pushImage(image, { to, from: { registry, repository: "t/staging" }, tag: "v1" });
    const second = await pushImage(image, { to, from: { registry, repository: "t/staging" }, tag: "v1" });

    expect(first).toMatchObject({ uploaded: { blobs: 2 }, mounted: 3, present: 0 });
    expect(second).toMatchObject({ uploaded: { blobs: 0, bytes: 0 }, mounted: 0, present: 5 });
    const reference = `docker://${registries[auth].host}/t/final:v1`;
    const { stdout } = await run(
      "skopeo",
      ["inspect", "--raw", "--tls-verify=false", ...skopeoLogin(registries[auth]), reference],
      {
        encoding: "buffer",
      },
    );
    expect(stdout.equals(image.index.bytes)).toBe(true);
    const verification = await verifyImage({
      targets: [{ name: auth, registry, repository: "t/final", reference: "v1" }],
      platforms: BOTH_PLATFORMS,
      elf: true,
      expect: { digest: image.digest, labels: { "org.opencontainers.image.version": "1.2.3" } },
    });
    expect(verification.targets[0]?.problems).toEqual([]);
    expect(verification.variants.map(({ elf }) => elf)).toMatchObject([
      { files: 2, elf: 1, machines: { "x86-64": 1 }, foreign: [] },
      { files: 2, elf: 1, machines: { aarch64: 1 }, foreign: [] },
    ]);
  });
});

test("copies have one digest in three registries, and skopeo can copy them on", async () => {
  const source = client(registries.none);
  const { digest } = await stageImage(
    source,
    "c/app",
    "v1",
    BOTH_PLATFORMS.map((platform) => ({ platform })),
  );
  const targets = AUTHS.map((auth) => ({
    name: auth,
    registry: client(registries[auth]),
    repository: "c/copied",
    reference: "v1",
  }));

  for (const { registry, repository } of targets) {
    await copyImage({
      from: { registry: source, repository: "c/app" },
      digest,
      to: { registry, repository },
      tag: "v1",
    });
  }
  const again = await copyImage({
    from: { registry: source, repository: "c/app" },
    digest,
    to: { registry: client(registries.bearer), repository: "c/copied" },
    tag: "v1",
  });

  expect(again.uploaded).toEqual({ blobs: 0, bytes: 0 });
  const verification = await verifyImage({ targets, platforms: BOTH_PLATFORMS });
  expect(verification).toMatchObject({ ok: true, digest });
  await run("skopeo", [
    "copy",
    "--all",
    "--src-tls-verify=false",
    "--dest-tls-verify=false",
    ...skopeoLogin(registries.bearer, "src-"),
    ...skopeoLogin(registries.basic, "dest-"),
    `docker://${registries.bearer.host}/c/copied:v1`,
    `docker://${registries.basic.host}/c/by-skopeo:v1`,
  ]);
  expect((await client(registries.basic).resolve("c/by-skopeo", "v1"))?.digest).toBe(digest);
});

test("a registry reached at another address gets its token requests and uploads there", async () => {
  const { url, username = "", password = "" } = registries.bearer;
  const port = new URL(url).port;
  const asked: string[] = [];
  const registry = new Registry({
    host: registries.bearer.host,
    url: `http://127.0.0.1:${port}`,
    credentials: { username, password },
    fetch: (input, init) => {
      asked.push(new URL(input instanceof Request ? input.url : input).hostname);
      return fetch(input, init);
    },
  });

  await stageImage(registry, "t/elsewhere", "v1", [{ platform: "linux/amd64" }]);

  expect(new Set(asked)).toEqual(new Set(["127.0.0.1"]));
});

test("a large blob is streamed from registry to registry, and can be interrupted in the middle", async () => {
  const bytes = randomBytes(32 * 1024 * 1024);
  const blob = { digest: digestOf(bytes), size: bytes.length };
  const source = client(registries.basic);
  await source.putBlob("t/large", { ...blob, open: () => streamOf(bytes) });
  const target = client(registries.bearer);
  expect(await target.putBlob("t/large", { ...blob, open: () => source.blob("t/large", blob) })).toBe(
    "uploaded",
  );
  expect(await target.hasBlob("t/large", blob.digest)).toBe(bytes.length);

  const stop = new AbortController();
  const stoppable = client(registries.bearer, { signal: stop.signal });
  const reader = (await stoppable.blob("t/large", blob)).getReader();
  await reader.read();
  stop.abort();
  const rest = (async () => {
    while (!(await reader.read()).done);
  })();
  await expect(rest).rejects.toMatchObject({ code: "INTERRUPTED" });
});

describe("bad input", () => {
  test.each(["basic", "bearer"] as const)(
    "a wrong password (%s) is an error, without the password",
    async (auth) => {
      const { host, username = "" } = registries[auth];
      const registry = new Registry({ host, credentials: { username, password: "s3cret-but-wrong" } });
      const error: unknown = await registry.ping().then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toMatchObject({ code: "UNAUTHORIZED" });
      expect(inspect(error, { depth: 10 })).not.toContain("s3cret");
      expect(inspect(error, { depth: 10 })).toContain(`docker login ${host}`);
    },
  );

  test("a missing password", async () => {
    const { host } = registries.basic;
    await expect(new Registry({ host }).resolve("t/x", "v1")).rejects.toMatchObject({ code: "UNAUTHORIZED" });
    await expect(new Registry({ host }).ping()).rejects.toMatchObject({
      what: "the registry requires credentials",
    });
  });

  test("nothing listens", async () => {
    const gone = await decoyServer();
    await gone.stop();
    const registry = new Registry({ host: gone.host, random: () => 0 });
    await expect(registry.resolve("t/x", "v1")).rejects.toMatchObject({
      code: "UNAVAILABLE",
      what: `cannot reach ${gone.host}: connection refused`,
      remedy: "Nothing listens there. Start the registry, or correct its address.",
    });
  });

  test("a web server is not a registry", async () => {
    const web = await htmlServer();
    const registry = new Registry({ host: web.host });
    try {
      await expect(registry.ping()).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
      await expect(registry.resolve("t/x", "v1")).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
      await expect(registry.tags("t/x")).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
    } finally {
      await web.stop();
    }
  });

  test("another JSON service is not a registry", async () => {
    const decoy = await decoyServer();
    const registry = new Registry({ host: decoy.host });
    try {
      await expect(registry.resolve("t/x", "v1")).rejects.toMatchObject({ code: "INVALID_RESPONSE" });
    } finally {
      await decoy.stop();
    }
  });

  test("a malformed tag is never sent", async () => {
    const registry = new Registry({ host: "localhost:1", fetch: () => Promise.reject(new Error("asked")) });
    await expect(registry.resolve("t/x", "not a tag")).rejects.toMatchObject({
      code: "USAGE",
      what: '"not a tag" is not a tag',
    });
    await expect(registry.tags("T/x")).rejects.toMatchObject({ code: "USAGE" });
  });

  test("the caller can interrupt a request", async () => {
    const registry = client(registries.none, { signal: AbortSignal.abort() });
    await expect(registry.resolve("t/x", "v1")).rejects.toMatchObject({ code: "INTERRUPTED" });
  });
});
