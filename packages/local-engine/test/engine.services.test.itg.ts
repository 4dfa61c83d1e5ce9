import { createServer, type Server } from "node:http";
import { ExecError, type Client, type Container } from "@dagger.io/dagger";
import { describe, expect, it } from "vitest";
import { setUp } from "./support/fixture.js";
import { inspect } from "./support/inspect.js";
import { processes } from "./support/processes.js";
import { session } from "./support/session.js";

const fixture = setUp();

describe("services", () => {
  const server = (client: Client, answer: string): Container =>
    fixture
      .base(client)
      .withNewFile("/www/index.html", answer)
      .withExposedPort(8080)
      .withDefaultArgs(["httpd", "-f", "-p", "8080", "-h", "/www"]);

  it("respond at their alias, in a network without the host's own server", async () => {
    const decoy = await listen(8080);
    try {
      await session({ home: fixture.home }, async ({ client }) => {
        const caller = fixture.base(client).withEnvVariable("NONCE", String(Math.random()));
        const bound = caller.withServiceBinding("web", server(client, "from the container").asService());
        expect(await bound.withExec(["wget", "-q", "-O-", "http://web:8080/"]).stdout()).toBe(
          "from the container",
        );
        expect(await bound.withExec(["wget", "-q", "-O-", "http://localhost:8080/"]).stdout()).toBe(
          "from the container",
        );
        // The host's server is reached neither without a binding nor in place of a broken service.
        await expect(caller.withExec(["wget", "-q", "-O-", "http://127.0.0.1:8080/"]).sync()).rejects.toThrow(
          ExecError,
        );
        const idle = fixture.base(client).withDefaultArgs(["sleep", "4320"]).asService();
        const refused = caller
          .withServiceBinding("web", idle)
          .withExec(["wget", "-q", "-O-", "http://web:8080/"]);
        await expect(refused.sync()).rejects.toThrow(ExecError);
      });
      expect(processes("httpd -f -p 8080")).toEqual([]);
      expect(processes("sleep 4320")).toEqual([]);
    } finally {
      decoy.close();
    }
  });

  it("that end early fail the command with their exit code and last output", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const broken = fixture
        .base(client)
        .withExposedPort(9)
        .withDefaultArgs(["sh", "-c", "echo no database >&2; exit 4"])
        .asService();
      const error: unknown = await fixture
        .base(client)
        .withServiceBinding("db", broken)
        .withExec(["true"])
        .sync()
        .catch((e: unknown) => e);
      expect(error).toBeInstanceOf(ExecError);
      expect(error).toMatchObject({ exitCode: 4, stderr: "no database\n" });
      expect(String(error)).toMatch(/start service .*exited: exit code: 4\nno database/);
    }));

  it("end with the command, even if they ignore signals", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const deaf = fixture
        .base(client)
        .withDefaultArgs(["sh", "-c", "trap '' TERM; while :; do sleep 4324; done"])
        .asService();
      await fixture.base(client).withServiceBinding("s", deaf).withExec(["sleep", "0.3"]).sync();
      expect(processes("sleep 4324")).toEqual([]);
      await deaf.stop({ kill: true });
    }));

  it("of the host are only an address", () =>
    session({ home: fixture.home }, async ({ client }) => {
      const service = client
        .host()
        .service([{ backend: Number(new URL(fixture.registry.url).port), frontend: 5000 }]);
      expect(await service.endpoint({ scheme: "http" })).toBe(fixture.registry.url);
      const reference = await fixture
        .base(client)
        .publish("localhost:5000/through:1", { registryService: service });
      expect(reference).toContain("localhost:5000/through:1@sha256:");
      expect(inspect(`${fixture.registry.host}/through:1`).config.architecture).toBe("amd64");
    }));
});

async function listen(port: number): Promise<Server> {
  const server = createServer((_, response) => response.end("decoy"));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}
