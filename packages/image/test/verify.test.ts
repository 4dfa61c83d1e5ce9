import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { digestOf } from "@tgo/registry";
import { verifyImage, type VerifyTarget } from "../src/index.js";
import {
  networkError,
  AARCH64,
  BOTH_PLATFORMS,
  elfFile,
  elfObject,
  stageImage,
  X86_64,
  type TarEntry,
  type VariantSpec,
  MemoryRegistry,
  type MemoryRegistryOptions,
} from "@tgo/testing";

const HOSTS = ["ghcr.io", "docker.io", "registry.cn-shanghai.aliyuncs.com"];
const variants = (change: Partial<VariantSpec> = {}): VariantSpec[] =>
  BOTH_PLATFORMS.map((platform) => ({ platform, labels: { version: "1" }, ...change }));

/** The same image in three registries. */
async function published(
  options: MemoryRegistryOptions = {},
  repository = "t/app",
): Promise<{ registries: MemoryRegistry[]; targets: VerifyTarget[]; digest: string }> {
  const registries = HOSTS.map((host) => new MemoryRegistry(host, options));
  let digest = "";
  for (const registry of registries) {
    ({ digest } = await stageImage(registry.client(), repository, "v1", variants(), {
      annotations: { version: "1" },
    }));
    registry.received.length = 0;
  }
  return { registries, targets: registries.map((registry) => target(registry, repository)), digest };
}

function target(registry: MemoryRegistry, repository = "t/app"): VerifyTarget {
  return {
    name: registry.host,
    registry: registry.client(),
    repository,
    reference: "v1",
    anonymous: registry.anonymous(),
  };
}

test("who pulls without credentials gets the same", async () => {
  const { registries, targets, digest } = await published({ auth: "public" });
  const [first] = registries;
  const other = `sha256:${"0".repeat(64)}`;
  if (first !== undefined)
    first.intercept = (request) => {
      if (request.headers.get("authorization") !== "Bearer anonymous") return undefined;
      const response = first.respond(request);
      if (response.status === 200) response.headers.set("docker-content-digest", other);
      return response;
    };
  const verification = await verifyImage({ targets, platforms: BOTH_PLATFORMS });
  expect(verification.targets.map(({ state }) => state)).toEqual(["failed", "verified", "verified"]);
  expect(verification.targets[0]?.problems).toMatchObject([
    { code: "VERIFY", what: `without credentials it is ${other}, with them ${digest}` },
  ]);
});

describe("a published image", () => {
  test("is verified in every registry, and described", async () => {
    const { targets, digest } = await published();
    const verification = await verifyImage({
      targets,
      platforms: BOTH_PLATFORMS,
      elf: true,
      expect: { digest, labels: { version: "1" }, annotations: { version: "1" } },
    });
    expect(verification.targets.flatMap(({ problems }) => problems)).toEqual([]);
    expect(verification).toMatchObject({
      ok: true,
      digest,
      annotations: { version: "1" },
      targets: HOSTS.map((name) => ({ name, reference: `${name}/t/app:v1`, state: "verified", digest })),
      variants: [
        {
          platform: "linux/amd64",
          architecture: "amd64",
          labels: { version: "1" },
          elf: { machines: { "x86-64": 1 }, foreign: [] },
        },
        {
          platform: "linux/arm64",
          architecture: "arm64",
          labels: { version: "1" },
          elf: { machines: { aarch64: 1 }, foreign: [] },
        },
      ],
    });
  });

  test("is read once: manifests, configs and layers once in all, the index once per registry", async () => {
    const { registries, targets } = await published({ auth: "public" });
    await verifyImage({ targets, platforms: BOTH_PLATFORMS, elf: true });
    for (const registry of registries) {
      const reads = registry.requests("GET");
      expect(reads).toEqual([...new Set(reads)]);
      expect(reads.filter((read) => read.endsWith("/manifests/v1"))).toHaveLength(1);
    }
    const beyondTheIndex = registries
      .flatMap((registry) => registry.requests("GET"))
      .filter((read) => !read.endsWith("/manifests/v1"));
    // Two child manifests, two configs, three layers (one is shared by both platforms).
    expect(beyondTheIndex).toHaveLength(7);
    expect(new Set(beyondTheIndex).size).toBe(7);
  });

  test("takes five round trips: a refusal, the login, the index, the manifests, and all else at once", async () => {
    const { registries, targets } = await published({ auth: "public" });
    let waiting: (() => void)[] = [];
    for (const registry of registries)
      registry.intercept = () =>
        new Promise((resolve) => {
          waiting.push(() => {
            resolve(undefined);
          });
        });
    const verifying = verifyImage({ targets, platforms: BOTH_PLATFORMS });
    const sent: number[] = [];
    const isDone = verifying.then(() => true);
    for (let before = 0; !(await Promise.race([isDone, delay(10)])); before = waiting.length) {
      // Responds to all requests at once, when no more come.
      if (waiting.length === 0 || waiting.length !== before) continue;
      sent.push(waiting.length);
      const respond = waiting;
      waiting = [];
      for (const release of respond) release();
    }
    expect((await verifying).ok).toBe(true);
    // With and without credentials.
    expect(sent.slice(0, 3)).toEqual([6, 6, 6]);
    expect(sent).toHaveLength(5);
  });

  test("six services in three registries at 50 ms a request take less than a second", async () => {
    const services = ["api", "ai", "platform", "rag", "web", "widget"];
    const registries = HOSTS.map((host) => new MemoryRegistry(host, { auth: "public" }));
    for (const registry of registries)
      for (const service of services) await stageImage(registry.client(), `t/${service}`, "v1", variants());
    const slow = registries.map((registry) => {
      const copy = new MemoryRegistry(registry.host, { auth: "public", delayMs: 50 });
      registry.blobs.forEach((value, key) => copy.blobs.set(key, value));
      registry.manifests.forEach((value, key) => copy.manifests.set(key, value));
      return { registry: copy, client: copy.client(), anonymous: copy.anonymous() };
    });
    const started = performance.now();
    const verifications = await Promise.all(
      services.map((service) =>
        verifyImage({
          platforms: BOTH_PLATFORMS,
          targets: slow.map(({ registry, client, anonymous }) => ({
            name: registry.host,
            registry: client,
            repository: `t/${service}`,
            reference: "v1",
            anonymous,
          })),
        }),
      ),
    );
    const milliseconds = performance.now() - started;
    expect(verifications.every(({ ok }) => ok)).toBe(true);
    expect(milliseconds).toBeLessThan(1000);
    console.log(
      `verify: 6 services × 3 registries × 2 platforms at 50 ms a request: ${Math.round(milliseconds)} ms`,
    );
  });
});

describe("all problems are reported, for each registry", () => {
  const problemsOf = async (
    targets: VerifyTarget[],
    options: Partial<Parameters<typeof verifyImage>[0]> = {},
  ): Promise<Record<string, string[]>> => {
    const { targets: results, ok } = await verifyImage({ targets, platforms: BOTH_PLATFORMS, ...options });
    expect(ok).toBe(false);
    return Object.fromEntries(
      results.map(({ name, problems }) => [name, problems.map(({ code, what }) => `${code}: ${what}`)]),
    );
  };
  const one = async (
    specs: VariantSpec[],
    options: Parameters<typeof stageImage>[4] = {},
  ): Promise<VerifyTarget[]> => {
    const registry = new MemoryRegistry("ghcr.io");
    await stageImage(registry.client(), "t/app", "v1", specs, options);
    return [target(registry)];
  };

  test("a registry that is down is its own problem only, reported once", async () => {
    const { registries, targets } = await published();
    const down = registries[1];
    if (down)
      down.intercept = () => {
        throw networkError("ECONNREFUSED");
      };
    expect(await problemsOf(targets)).toEqual({
      "ghcr.io": [],
      "docker.io": [
        "UNAVAILABLE: cannot reach docker.io (at https://registry-1.docker.io): connection refused",
      ],
      "registry.cn-shanghai.aliyuncs.com": [],
    });
  });

  test("the registry that was read first fails in the middle: the others are read instead", async () => {
    const { registries, targets } = await published();
    const failing = registries[0];
    if (failing)
      failing.intercept = ({ url }) =>
        /manifests\/sha256|blobs/.test(url.pathname) ? new Response("", { status: 500 }) : undefined;
    const problems = await problemsOf(targets);
    expect(problems["ghcr.io"]?.length).toBeGreaterThan(0);
    expect(problems["docker.io"]).toEqual([]);
    expect(problems["registry.cn-shanghai.aliyuncs.com"]).toEqual([]);
  });

  test("a different digest in one registry", async () => {
    const { registries, targets, digest } = await published();
    const other = registries[2];
    if (other === undefined) return;
    const changed = await stageImage(other.client(), "t/app", "v1", variants({ labels: { version: "2" } }));
    expect(await problemsOf(targets)).toMatchObject({
      "ghcr.io": [],
      "docker.io": [],
      [other.host]: [`VERIFY: it is ${changed.digest}, while ghcr.io has ${digest}`],
    });
  });

  test("an unexpected digest everywhere", async () => {
    const { targets, digest } = await published();
    const expected = `sha256:${"0".repeat(64)}`;
    const problems = await problemsOf(targets, { expect: { digest: expected } });
    for (const host of HOSTS)
      expect(problems[host]).toEqual([`VERIFY: it is ${digest}, expected ${expected}`]);
  });

  test("a missing tag", async () => {
    const { registries, targets } = await published();
    registries[0]?.manifests.delete("t/app v1");
    expect((await problemsOf(targets))["ghcr.io"]).toContain('NOT_FOUND: there is no tag "v1"');
  });

  test("a lost layer", async () => {
    const { registries, targets } = await published();
    const [, hub] = registries;
    const layer = digestOf(hub?.blobs.values().next().value ?? new Uint8Array());
    hub?.blobs.delete(`t/app ${layer}`);
    const problems = await problemsOf(targets);
    // The shared layer belongs to both platforms.
    expect(problems["docker.io"]?.map((text) => text.replace(/^NOT_FOUND: \S+ /, ""))).toEqual(
      Array(2).fill(`is incomplete: ${layer} is not in the repository`),
    );
    expect(problems["ghcr.io"]).toEqual([]);
  });

  test("a private package, as GHCR's new packages are; the remedy says where to change it", async () => {
    const registry = new MemoryRegistry("ghcr.io", { auth: "private" });
    await stageImage(registry.client(), "t/app", "v1", variants());
    const { targets } = await verifyImage({ targets: [target(registry)], platforms: BOTH_PLATFORMS });
    expect(targets[0]?.problems).toEqual([
      expect.objectContaining({
        code: "VERIFY",
        what: "it cannot be pulled without credentials",
        remedy: expect.stringContaining("Change visibility") as string,
      }),
    ]);
    const { name, registry: client, repository, reference } = target(registry);
    const closed = { name, registry: client, repository, reference };
    expect((await verifyImage({ targets: [closed], platforms: BOTH_PLATFORMS })).ok).toBe(true);
  });

  test("a missing platform, an extra one, and an attestation", async () => {
    const targets = await one([{ platform: "linux/amd64" }, { platform: "linux/s390x" }], {
      attestation: true,
    });
    expect(await problemsOf(targets)).toEqual({
      "ghcr.io": [
        "VERIFY: it lists 1 attestation manifests",
        "VERIFY: linux/arm64 is missing",
        "VERIFY: it lists linux/s390x, which is not planned",
      ],
    });
  });

  test("a config whose architecture is not the index's", async () => {
    const targets = await one([
      { platform: "linux/amd64" },
      { platform: "linux/amd64", listedAs: "linux/arm64", labels: { a: "b" } },
    ]);
    expect(await problemsOf(targets)).toEqual({
      "ghcr.io": ["VERIFY: the index says linux/arm64, the variant's own config says linux/amd64"],
    });
  });

  test("labels and annotations", async () => {
    const targets = await one(variants(), { annotations: { version: "1" } });
    expect(
      await problemsOf(targets, {
        expect: { labels: { version: "2" }, annotations: { version: "2", revision: "abc" } },
      }),
    ).toEqual({
      "ghcr.io": [
        'VERIFY: annotation version is "1", expected "2"',
        'VERIFY: annotation revision is missing (expected "abc")',
        'VERIFY: linux/amd64: label version is "1", expected "2"',
        'VERIFY: linux/arm64: label version is "1", expected "2"',
      ],
    });
  });

  test("a layer that is truncated in the registry", async () => {
    const { registries, targets } = await published();
    const [, hub] = registries;
    for (const [key, bytes] of [...(hub?.blobs ?? [])].slice(0, 1)) hub?.blobs.set(key, bytes.subarray(1));
    const problems = await problemsOf(targets);
    expect(problems["docker.io"]?.[0]).toMatch(/has \d+ bytes there, not \d+$/);
    expect(problems["ghcr.io"]).toEqual([]);
  });

  test("an index with a wrong size for a manifest: some clients refuse such an image", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    await stageImage(registry.client(), "t/app", "v1", variants());
    const index = JSON.parse(new TextDecoder().decode(registry.manifests.get("t/app v1")?.bytes)) as {
      manifests: { size: number }[];
    };
    for (const child of index.manifests) child.size += 1;
    const bytes = new TextEncoder().encode(JSON.stringify(index));
    await registry.client().putManifest("t/app", "v1", "application/vnd.oci.image.index.v1+json", bytes);
    const problems = (await problemsOf([target(registry)]))["ghcr.io"];
    expect(problems).toHaveLength(2);
    for (const problem of problems ?? [])
      expect(problem).toMatch(/^INVALID_RESPONSE: the index says \d+ bytes, the manifest has \d+$/);
  });

  test("Docker media types, and a plain manifest under the tag", async () => {
    expect((await problemsOf(await one(variants(), { docker: true })))["ghcr.io"]).toEqual([
      expect.stringContaining("manifest.list.v2+json, not application/vnd.oci.image.index.v1+json"),
    ]);
    const registry = new MemoryRegistry("ghcr.io");
    const { children } = await stageImage(registry.client(), "t/app", "v1", variants());
    const plain = registry.manifests.get(`t/app ${children[0]?.digest ?? ""}`);
    if (plain) registry.manifests.set("t/app v1", plain);
    expect((await problemsOf([target(registry)]))["ghcr.io"]).toEqual([
      expect.stringContaining("it is a single manifest"),
    ]);
  });

  test("an image served as application/json is good, and noted: Docker and containerd may refuse it", async () => {
    const registry = new MemoryRegistry("ghcr.io");
    await stageImage(registry.client(), "t/app", "v1", variants());
    const tagged = registry.manifests.get("t/app v1");
    if (tagged) registry.manifests.set("t/app v1", { ...tagged, mediaType: "application/json" });
    const { ok, checks } = await verifyImage({ targets: [target(registry)] });
    expect(ok).toBe(true);
    expect(checks.find(({ name }) => name === "index type")).toMatchObject({
      state: "note",
      evidence: [
        expect.anything(),
        "ghcr.io/t/app:v1 is served as application/json: Docker and containerd may refuse to pull it",
      ],
    });
  });

  test("an x86-64 file in the arm64 image, for every registry that has the digest, unless its path is allowed", async () => {
    const hidden: TarEntry[] = [
      { path: "app/lib/evil.so", content: elfFile(X86_64) },
      { path: "bin/sh", content: elfFile(AARCH64) },
    ];
    const targets = await one([{ platform: "linux/amd64" }, { platform: "linux/arm64", layers: [hidden] }]);
    expect(await problemsOf(targets, { elf: true })).toEqual({
      "ghcr.io": ["CHECK: linux/arm64 contains 1 file for another machine: /app/lib/evil.so (x86-64)"],
    });
    expect(
      (await verifyImage({ targets, platforms: BOTH_PLATFORMS, elf: true, allowForeign: ["/app/lib/"] })).ok,
    ).toBe(true);
  });

  test("a program without a library that it needs, unless LD_LIBRARY_PATH of the image leads to it", async () => {
    const interpreter = "/lib/ld-musl-aarch64.so.1";
    const files: TarEntry[] = [
      { path: "lib/ld-musl-aarch64.so.1", content: elfObject({ machine: AARCH64, soname: "libc.so" }) },
      { path: "app/tool", content: elfObject({ machine: AARCH64, interpreter, needed: ["libx.so.1"] }) },
      { path: "opt/lib/libx.so.1", content: elfObject({ machine: AARCH64 }) },
    ];
    const arm64 = { platform: "linux/arm64", layers: [files] };
    expect(await problemsOf(await one([{ platform: "linux/amd64" }, arm64]), { elf: true })).toEqual({
      "ghcr.io": [
        "CHECK: linux/arm64 has programs or modules that cannot be loaded: /app/tool needs libx.so.1, which is at /opt/lib/libx.so.1, where its loader does not look",
      ],
    });
    const config = { config: { Env: ["PATH=/bin", "LD_LIBRARY_PATH=/opt/lib"] } };
    const targets = await one([{ platform: "linux/amd64" }, { ...arm64, config }]);
    expect((await verifyImage({ targets, platforms: BOTH_PLATFORMS, elf: true })).ok).toBe(true);
  });

  test("a layer that one registry does not deliver is read from the next", async () => {
    const { registries, targets } = await published();
    const [first] = registries;
    if (first)
      first.intercept = ({ method, url }) =>
        method === "GET" && /blobs/.test(url.pathname) ? new Response("", { status: 403 }) : undefined;
    const verification = await verifyImage({ targets, platforms: BOTH_PLATFORMS, elf: true });
    expect(verification.variants.map(({ elf: report }) => report?.elf)).toEqual([1, 1]);
  });
});

test("only an interruption is thrown", async () => {
  const { registries } = await published();
  const stop = new AbortController();
  const targets = registries.map((registry) => ({
    name: registry.host,
    registry: registry.client({ signal: stop.signal }),
    repository: "t/app",
    reference: "v1",
  }));
  stop.abort();
  await expect(verifyImage({ targets, platforms: BOTH_PLATFORMS })).rejects.toMatchObject({
    code: "INTERRUPTED",
  });
});
