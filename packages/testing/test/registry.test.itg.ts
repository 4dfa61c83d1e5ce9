import { execFile, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dockerConfig, startRegistry, type LocalRegistry } from "../src/index.js";

const run = promisify(execFile);
const LARGE = 8 * 1024 * 1024;

let dir: string;
let layout: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "tgo-registry-test-"));
  layout = join(dir, "layout");
  await writeImage(layout);
});

afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

async function withRegistry(
  options: Parameters<typeof startRegistry>[0],
  test: (registry: LocalRegistry) => Promise<void>,
): Promise<void> {
  const registry = await startRegistry(options);
  try {
    await test(registry);
  } finally {
    await registry.stop();
  }
}

const creds = (registry: LocalRegistry): string => `${registry.username ?? ""}:${registry.password ?? ""}`;

function push(registry: LocalRegistry, ...flags: string[]): Promise<unknown> {
  return run("skopeo", [
    "copy",
    "--dest-tls-verify=false",
    ...flags,
    `oci:${layout}:large`,
    `docker://${registry.host}/team/large:1`,
  ]);
}

function pull(registry: LocalRegistry, to: string, ...flags: string[]): Promise<unknown> {
  return run("skopeo", [
    "copy",
    "--src-tls-verify=false",
    ...flags,
    `docker://${registry.host}/team/large:1`,
    `oci:${join(dir, to)}:large`,
  ]);
}

describe("a local registry", () => {
  it("lets anyone push and pull when it has no credentials", async () => {
    await withRegistry({ auth: "none" }, async (registry) => {
      await push(registry);
      await pull(registry, "none");
    });
  });

  it("keeps idle connections, unless it is told to close them", async () => {
    const isOpenLater = async (options: { idleTimeoutMs?: number }): Promise<boolean> => {
      let isOpen = false;
      await withRegistry({ auth: "bearer", ...options }, async ({ url }) => {
        const socket = connect(Number(new URL(url).port), "127.0.0.1");
        socket.write("GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
        socket.resume();
        // Node adds a second to the time that it announces.
        await sleep(2000);
        isOpen = !socket.destroyed;
        socket.destroy();
      });
      return isOpen;
    };
    expect(await Promise.all([isOpenLater({}), isOpenLater({ idleTimeoutMs: 100 })])).toEqual([true, false]);
  });

  it.each(["basic", "bearer"] as const)(
    "opens to the right %s credentials and to no others",
    async (auth) => {
      await withRegistry({ auth }, async (registry) => {
        await expect(push(registry, "--dest-no-creds")).rejects.toThrow(/unauthorized|authentication/i);
        await expect(push(registry, "--dest-creds", "tgo:wrong")).rejects.toThrow(/unauthorized|password/i);
        await push(registry, "--dest-creds", creds(registry));
        await expect(pull(registry, "x", "--src-no-creds")).rejects.toThrow(/unauthorized|authentication/i);
        await pull(registry, `right-${auth}`, "--src-creds", creds(registry));
      });
    },
  );

  it("lets anyone pull, but not push, without credentials when a bearer registry is public", async () => {
    await withRegistry({ auth: "bearer", publicPull: true }, async (registry) => {
      await expect(push(registry, "--dest-no-creds")).rejects.toThrow(/unauthorized|denied/i);
      await push(registry, "--dest-creds", creds(registry));
      await pull(registry, "public", "--src-no-creds");
    });
  });

  it("issues a token for exactly the requested scopes", async () => {
    await withRegistry({ auth: "bearer" }, async (registry) => {
      const authorization = `Basic ${Buffer.from(creds(registry)).toString("base64")}`;
      const query = "scope=repository:a/b:pull&scope=repository:c/d:pull,push&service=tgo-testbed";
      const answer = await fetch(`${registry.url}/token?${query}`, { headers: { authorization } });
      const { token, expires_in } = (await answer.json()) as { token: string; expires_in: number };
      expect(expires_in).toBe(300);
      const upload = (repository: string): Promise<number> =>
        fetch(`${registry.url}/v2/${repository}/blobs/uploads/`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
        }).then(({ status }) => status);
      expect(await upload("c/d")).toBe(202);
      expect(await upload("a/b")).toBe(401);
      expect(await upload("e/f")).toBe(401);
    });
  });

  it("handles the OAuth2 form of a token request", async () => {
    await withRegistry({ auth: "bearer" }, async (registry) => {
      const ask = (password: string): Promise<Response> =>
        fetch(`${registry.url}/token`, {
          method: "POST",
          body: new URLSearchParams({
            grant_type: "password",
            username: registry.username ?? "",
            password,
            service: "tgo-testbed",
            scope: "repository:a/b:pull",
          }),
        });
      expect((await ask(registry.password ?? "")).status).toBe(200);
      expect((await ask("wrong")).status).toBe(401);
    });
  });

  it("names the front end in an upload's Location, so that clients come back to it", async () => {
    await withRegistry({ auth: "bearer" }, async (registry) => {
      const challenge = (await fetch(`${registry.url}/v2/`)).headers.get("www-authenticate");
      expect(challenge).toContain(`realm="${registry.url}/token"`);
      const authorization = `Basic ${Buffer.from(creds(registry)).toString("base64")}`;
      const answer = await fetch(`${registry.url}/token?scope=repository:a/b:pull,push`, {
        headers: { authorization },
      });
      const { token } = (await answer.json()) as { token: string };
      const upload = await fetch(`${registry.url}/v2/a/b/blobs/uploads/`, {
        method: "POST",
        headers: { authorization: `Bearer ${token}` },
      });
      expect(upload.headers.get("location")).toMatch(new RegExp(`^${registry.url}/v2/a/b/blobs/uploads/`));
    });
  });

  it("challenges an upload without a token even in the middle of its body", async () => {
    await withRegistry({ auth: "bearer" }, async (registry) => {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const answer = await fetch(`${registry.url}/v2/a/b/manifests/x`, {
          method: "PUT",
          body: Buffer.alloc(LARGE),
        });
        expect(answer.status).toBe(401);
        expect(answer.headers.get("www-authenticate")).toMatch(/^Bearer /);
      }
    });
  });

  it("accepts the docker config made for it, and no other registry does", async () => {
    await withRegistry({ auth: "basic" }, async (one) => {
      await withRegistry({ auth: "bearer" }, async (other) => {
        const file = join(dir, "config.json");
        await writeFile(file, dockerConfig([one]));
        await push(one, "--dest-authfile", file);
        await expect(push(other, "--dest-authfile", file)).rejects.toThrow(/unauthorized|authentication/i);
      });
    });
  });

  it("keeps a given storage directory, and serves it again", async () => {
    const storage = join(dir, "kept");
    await withRegistry({ auth: "none", storage }, async (registry) => {
      await push(registry);
    });
    await withRegistry({ auth: "none", storage }, async (registry) => {
      await pull(registry, "again");
    });
  });

  it("ends with stop(), which frees its port", async () => {
    const registry = await startRegistry({ auth: "bearer" });
    await registry.stop();
    await expect(fetch(`${registry.url}/v2/`)).rejects.toThrow();
    const again = await startRegistry({ auth: "none", port: Number(new URL(registry.url).port) });
    await again.stop();
  });

  it("reports which port is in use", async () => {
    await withRegistry({ auth: "none" }, async (registry) => {
      const port = Number(new URL(registry.url).port);
      await expect(startRegistry({ auth: "none", port })).rejects.toThrow(/address already in use/);
      await expect(startRegistry({ auth: "bearer", port })).rejects.toThrow(/cannot listen on port/);
    });
  });

  it("dies with a parent that is killed", async () => {
    const source = new URL("../src/index.ts", import.meta.url).href;
    const script = `
      const { startRegistry } = await import(${JSON.stringify(source)});
      const all = await Promise.all(["none", "basic", "bearer"].map((auth) => startRegistry({ auth })));
      console.log(JSON.stringify(all.map(({ url }) => url)));
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
      // What a killed process cannot remove itself goes with this test's directory.
      env: { ...process.env, TMPDIR: dir },
    });
    const line = await new Promise<string>((resolve) => {
      parent.stdout.once("data", (chunk: Buffer) => {
        resolve(chunk.toString());
      });
    });
    const urls = JSON.parse(line) as string[];
    for (const url of urls)
      expect((await fetch(`${url}/v2/`)).headers.has("docker-distribution-api-version"));
    const exited = new Promise((resolve) => parent.once("exit", resolve));
    parent.kill("SIGKILL");
    await exited;
    await sleep(200);
    for (const url of urls) await expect(fetch(`${url}/v2/`)).rejects.toThrow();
  });
});

/** An OCI layout with one image of one incompressible layer: large enough to be streamed in many chunks. */
async function writeImage(path: string): Promise<void> {
  const blobs = join(path, "blobs", "sha256");
  await run("mkdir", ["-p", blobs]);
  const store = async (data: Buffer | string, mediaType: string): Promise<object> => {
    const hex = createHash("sha256").update(data).digest("hex");
    await writeFile(join(blobs, hex), data);
    return { mediaType, digest: `sha256:${hex}`, size: Buffer.byteLength(data) };
  };
  const layer = randomBytes(LARGE);
  const diffId = `sha256:${createHash("sha256").update(layer).digest("hex")}`;
  const manifest = {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: await store(
      JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [diffId] } }),
      "application/vnd.oci.image.config.v1+json",
    ),
    layers: [await store(layer, "application/vnd.oci.image.layer.v1.tar")],
  };
  const descriptor = {
    ...(await store(JSON.stringify(manifest), manifest.mediaType)),
    annotations: { "org.opencontainers.image.ref.name": "large" },
  };
  await writeFile(join(path, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
  await writeFile(join(path, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}
