import { MemoryRegistry } from "@tgo/testing";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:net";
import { rootCertificates } from "node:tls";
import { describe, expect, it } from "vitest";
import { connects, countCertificates, registryFacts, runProgramOf } from "../src/index.js";

describe("an address", () => {
  it("answers if something listens there, and not once it is gone", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const address = `http://user:secret@127.0.0.1:${port}`;
    expect(await connects(address, "Unset it.")).toBeUndefined();
    await new Promise((resolve) => server.close(resolve));
    const problem = await connects(address, "Unset it.");
    expect(problem).toMatchObject({
      what: expect.stringContaining("connection refused") as string,
      remedy: "Unset it.",
    });
    expect(JSON.stringify(problem)).not.toContain("secret");
  });

  it("that is no URL is told", async () => {
    expect(await connects("proxy 3128", "Unset it.")).toMatchObject({ what: "is not a URL" });
  });
});

describe("a registry", () => {
  const asked = { name: "ghcr", required: true, repository: "me/bot" };

  it("that accepts pushes is left as it was", async () => {
    const memory = new MemoryRegistry("ghcr.io");
    const facts = await registryFacts(asked, { host: "ghcr.io", fetch: memory.fetch });
    expect(facts).toMatchObject({
      host: "ghcr.io",
      hasLogin: false,
      push: { skewSeconds: undefined },
    });
    expect(memory.requests()).not.toContainEqual(expect.stringContaining("PUT"));
  });

  it("that cannot be reached is told, not thrown", async () => {
    const fetch = (): Promise<Response> =>
      Promise.reject(Object.assign(new Error("x"), { code: "ECONNREFUSED" }));
    expect(await registryFacts(asked, { host: "ghcr.io", fetch })).toMatchObject({
      push: { problem: { code: "UNAVAILABLE" } },
    });
  });
});

it("this machine's own programs run", async () => {
  expect(await runProgramOf(process.arch === "arm64" ? "linux/arm64" : "linux/amd64")).toBeUndefined();
});

describe("certificates", () => {
  it("are counted, with those that have expired; a key is none", () => {
    const pem = rootCertificates.join("\n");
    const found = countCertificates(pem);
    expect(found?.certificates).toBeGreaterThan(10);
    expect(countCertificates(pem, new Date("2200-01-01"))?.expired).toBe(found?.certificates);
    const { publicKey } = generateKeyPairSync("ed25519");
    expect(countCertificates(publicKey.export({ type: "spki", format: "pem" }).toString())).toBeUndefined();
  });
});
