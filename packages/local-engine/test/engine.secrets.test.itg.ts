import { spawnSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { startRegistry } from "@tgo/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { setUp } from "./support/fixture.js";
import { inspect } from "./support/inspect.js";
import { session } from "./support/session.js";

const fixture = setUp();

describe("a proxy's password", () => {
  const password = "pr0xy-p@ssword";
  let proxy: Server;
  let address: string;
  let authorized = 0;

  beforeAll(async () => {
    const expected = `Basic ${Buffer.from(`me:${password}`).toString("base64")}`;
    proxy = createServer((incoming, response) => {
      const allowed = incoming.headers["proxy-authorization"] === expected;
      if (allowed) authorized += 1;
      response.writeHead(allowed ? 200 : 407).end("page");
    });
    proxy.on("connect", (incoming, socket) => {
      const port = Number(incoming.url?.split(":")[1]);
      const target = connect(port, "127.0.0.1", () => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
      target.on("error", () => socket.destroy()).pipe(socket);
      socket.on("error", () => target.destroy()).pipe(target);
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
    address = `http://me:${encodeURIComponent(password)}@127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it.each([
    ["http_proxy", "environment", ""],
    ["HTTP_PROXY", "environment", "ARG HTTP_PROXY\n"],
    ["http_proxy", "build argument", ""],
    ["HTTP_PROXY", "build argument", "ARG HTTP_PROXY\nARG http_proxy=${HTTP_PROXY}\nENV SEEN=$HTTP_PROXY\n"],
  ])("of %s, from the %s, reaches neither steps nor the image", (name, from, declared) =>
    session({ home: fixture.home }, async ({ client, events }) => {
      if (from === "environment") vi.stubEnv(name, address);
      const page = `http://example.invalid/${name}-${from.length}`;
      const dockerfile = `FROM ${fixture.image}\n${declared}RUN env >/env; : "\${http_proxy:=$HTTP_PROXY}"; export http_proxy; wget -q -O /page ${page}; echo "proxy $http_proxy" >&2\n`;
      const build = client
        .directory()
        .withNewFile("Dockerfile", dockerfile)
        .dockerBuild({ buildArgs: from === "environment" ? [] : [{ name, value: address }] });
      const before = authorized;
      expect(await build.file("/page").contents()).toBe("page");
      expect(authorized).toBe(before + 1);
      expect(await build.file("/env").contents()).toMatch(/_proxy=http:/i);
      expect(await build.file("/env").contents()).not.toMatch(/pr0xy|ssword/);
      const reference = await build.publish(`${fixture.registry.host}/proxied:${name.toLowerCase()}`);
      const { raw, config } = inspect(reference.replace(/:\w+@/, "@"));
      expect(JSON.stringify([raw, config, events])).not.toMatch(/pr0xy|ssword/);
      // Neither does anything that the engine keeps: layers and configs.
      for (const spelling of [password, encodeURIComponent(password)]) {
        expect(spawnSync("grep", ["-rlaF", spelling, fixture.home]).stdout.toString()).toBe("");
      }
      const failing = client
        .directory()
        .withNewFile(
          "Dockerfile",
          `${dockerfile}RUN env; echo ${Buffer.from(password).toString("base64")} | base64 -d; exit 1\n`,
        )
        .dockerBuild({ buildArgs: from === "environment" ? [] : [{ name, value: address }] });
      const error: unknown = await failing.sync().catch((thrown: unknown) => thrown);
      expect(JSON.stringify([String(error), error, events])).not.toContain(password);
      expect(String(error)).toContain("the build of Dockerfile failed");
    }),
  );
});

describe("an identity token", () => {
  const identityToken = "refresh-0123456789abcdef";
  it("pushes and pulls at a registry that takes no password", async () => {
    const registry = await startRegistry({ auth: "bearer", identityToken });
    try {
      const address = `${registry.host}/private/image:1`;
      await session({ home: fixture.home }, async ({ client }) => {
        const token = client.setSecret("token", identityToken);
        const pushing = (user: string): Promise<string> =>
          fixture.base(client).withRegistryAuth(registry.host, user, token).publish(address);
        await expect(pushing("someone")).rejects.toThrow(/credentials|password/i);
        expect(await pushing("")).toContain("@sha256:");
        const from = client.container().withRegistryAuth(registry.host, "", token).from(address);
        expect(await from.imageRef()).toContain("@sha256:");
      });
      const keychain = (host: string): Promise<{ identityToken: string } | undefined> =>
        Promise.resolve(host === registry.host ? { identityToken } : undefined);
      await session({ home: fixture.home, keychain }, async ({ client }) => {
        const dockerfile = `FROM ${address}\nRUN echo pulled >/file\n`;
        const built = client.directory().withNewFile("Dockerfile", dockerfile).dockerBuild();
        expect(await built.file("/file").contents()).toBe("pulled\n");
      });
    } finally {
      await registry.stop();
    }
  });
});

describe("secrets of a Dockerfile", () => {
  const token = "correct-horse-battery";
  const line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw";
  const pem = `-----BEGIN PRIVATE KEY-----\n${line}\n-----END PRIVATE KEY-----\n`;
  it.each([
    ["JSON", JSON.stringify({ type: "service_account", private_key: pem, token }), token],
    ["a key in JSON", JSON.stringify({ type: "service_account", private_key: pem }), line],
    ["an .npmrc", `registry=https://npm.example.com/\n//npm.example.com/:_authToken=${token}\n`, token],
    ["a PEM key", pem, line],
  ])("are masked in every spelling: %s", (_, value, inner) =>
    session({ home: fixture.home }, async ({ client, events }) => {
      const print = `echo "plain ${inner.slice(0, 4)}"; cat /run/secrets/s; grep -o '${inner.slice(0, 6)}[A-Za-z0-9-]*' /run/secrets/s; printf 'me:%s' "$(grep -o '${inner.slice(0, 6)}[A-Za-z0-9-]*' /run/secrets/s | head -1)" | base64 | tr -d '\\n'; echo`;
      const error: unknown = await client
        .directory()
        .withNewFile("Dockerfile", `FROM ${fixture.image}\nRUN --mount=type=secret,id=s ${print}; exit 1\n`)
        .dockerBuild({ secrets: [client.setSecret("s", value)] })
        .sync()
        .catch((thrown: unknown) => thrown);
      const shown = JSON.stringify([String(error), error, events]);
      expect(shown).toContain(`plain ${inner.slice(0, 4)}`);
      expect(shown).not.toContain(inner);
      for (const shift of [0, 1, 2]) {
        const encoded = Buffer.concat([Buffer.from("x".repeat(shift)), Buffer.from(inner)]).toString(
          "base64",
        );
        expect(shown).not.toContain(encoded.slice(4, -4));
      }
      if (value.startsWith("registry=")) expect(shown).toContain("registry=https://npm.example.com/");
    }),
  );
});
